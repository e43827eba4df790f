//! Permissions of API keys, by the rules in `docs/API.md`.

mod leaks;
mod living;
mod matrix;
mod publishing;
pub(crate) mod visitor;
