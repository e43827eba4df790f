//! The `sekali` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    sekali::cli::main()
}
