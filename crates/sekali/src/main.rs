//! The `sekali` binary.

fn main() {}
