//! Whether to colour, which `--color`, `NO_COLOR` and `TERM` decide.

use std::env::var_os;
use std::sync::OnceLock;

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Wherever the output goes
    Always,
    /// Nowhere
    Never,
}

static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Sets what `--color` says, once, before anything is written.
pub(crate) fn choose(choice: ColorChoice) {
    // It is set already only where a test runs several commands.
    let _ = CHOICE.set(choice);
}

/// Whether output is coloured that goes to a terminal or elsewhere.
pub(crate) fn is_wanted(terminal: bool) -> bool {
    match CHOICE.get().copied().unwrap_or_default() {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let refused = var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            terminal && !refused && var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
