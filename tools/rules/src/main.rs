//! Figures about the sources: imports in circles, public items, names, assertions, comments; and
//! about documents: broken links and translations out of step.
//!
//! ```text
//! sekali-rules          one line for each figure: its name and value
//! sekali-rules NAME     the places that the figure NAME counts
//! ```
//!
//! `scripts/rules` compares the figures with `scripts/ratchets`. The sources are read as text:
//! comments and strings are blanked, test code is cut out, and macros are not expanded.

mod documents;
mod figures;
mod files;
mod imports;
mod items;
mod lexer;
mod links;
mod tokens;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is still the exit code.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: Option<&str>) -> Result<(), Box<dyn Error>> {
    let figures = figures::all(Path::new("."))?;
    let mut out = io::stdout().lock();
    match name {
        None => {
            for figure in figures {
                writeln!(out, "{} {}", figure.name, figure.value)?;
            }
        }
        Some(name) => {
            let figure = figures.iter().find(|figure| figure.name == name);
            let figure = figure.ok_or_else(|| format!("there is no figure '{name}'"))?;
            for place in &figure.places {
                writeln!(out, "{place}")?;
            }
        }
    }
    Ok(())
}
