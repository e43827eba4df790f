//! Helpers shared by the tests, measuring programs and tools of Sekali. The product does not
//! contain this crate.
//!
//! | module | content |
//! |---|---|
//! | [`trial`] | fault tests: their length, their seed, and the line of JSON that each ends with |
//! | [`random`] | reproducible random numbers |
//! | [`tampered_disk`] | the real disk, with faults injected into single calls |
//! | [`authority`] | a certificate authority for one test |
//! | [`machine`] | a description of the machine that a result was measured on |
//! | [`numbers`], [`table`] | figures and Markdown tables in results and documents |

#![expect(clippy::print_stdout, reason = "a test prints its seed and its figures")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

pub mod authority;
pub mod machine;
pub mod numbers;
pub mod random;
pub mod table;
pub mod tampered_disk;
pub mod trial;

pub use authority::{Authority, KeyPairFiles};
pub use machine::Machine;
pub use random::Random;
pub use table::Table;
pub use tampered_disk::{Tamper, TamperedDisk};
pub use trial::{Trial, skip};
