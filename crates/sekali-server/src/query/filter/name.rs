//! Conditions on a text of the event itself: its source or its id.

use super::pattern::Pattern;

/// All conditions of a query on one such text. Every kind that is given must hold.
#[derive(Debug, Default)]
pub(in crate::query) struct NameConditions {
    /// It is one of these.
    pub(super) any: Vec<String>,
    /// It is none of these.
    pub(super) none: Vec<String>,
    /// It matches one of these.
    pub(super) matches: Vec<Pattern>,
}

impl NameConditions {
    /// Whether every text passes.
    pub(super) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.none.is_empty() && self.matches.is_empty()
    }

    /// The only texts that can pass, if there is nothing more to look at.
    pub(in crate::query) fn exact(&self) -> Option<&[String]> {
        (!self.any.is_empty() && self.none.is_empty() && self.matches.is_empty()).then_some(&self.any)
    }

    /// Number of texts and patterns that an event is compared with.
    pub(super) fn comparisons(&self) -> usize {
        self.any.len() + self.none.len() + self.matches.len()
    }

    /// Whether `text` meets them.
    pub(super) fn hold(&self, text: &str) -> bool {
        (self.any.is_empty() || self.any.iter().any(|wanted| wanted == text))
            && !self.none.iter().any(|unwanted| unwanted == text)
            && (self.matches.is_empty() || Pattern::any(&self.matches, text.as_bytes()))
    }
}
