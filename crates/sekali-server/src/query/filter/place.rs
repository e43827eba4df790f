//! Conditions on one place of the payload: `user.id=42`, `min.ms=100`.

use super::number::NumberRange;
use super::path::Path;
use super::pattern::Pattern;
use super::wanted::Wanted;
use sekali_store::Need;
use sekali_wire::json::Reader;

/// All conditions of a query on one place of the payload. Every kind that is given must hold.
#[derive(Debug)]
pub(super) struct PlaceConditions {
    path: Path,
    /// The value is one of these.
    pub(super) any: Vec<Wanted>,
    /// The value is none of these. Payloads without the place pass.
    pub(super) none: Vec<Wanted>,
    /// The value is a number in this range.
    pub(super) range: NumberRange,
    /// The value, as text, matches one of these.
    pub(super) matches: Vec<Pattern>,
}

impl PlaceConditions {
    pub(super) fn new(path: Path) -> Self {
        Self { path, any: Vec::new(), none: Vec::new(), range: NumberRange::default(), matches: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of values and patterns that a payload is compared with.
    pub(super) fn comparisons(&self) -> usize {
        self.any.len() + self.none.len() + self.matches.len()
    }

    /// Of a payload that meets them, one of these is at the path. `None` where that cannot be told.
    pub(super) fn needs(&self) -> Option<Vec<Need>> {
        let needs = self.any.iter().map(Wanted::need).collect::<Option<Vec<_>>>()?;
        (!needs.is_empty()).then_some(needs)
    }

    /// Whether a payload meets them.
    pub(super) fn hold(&self, payload: &[u8]) -> bool {
        if !self.any.is_empty() && self.any.iter().all(|wanted| wanted.is_ruled_out(payload)) {
            return false;
        }
        self.hold_for(self.path.find(payload))
    }

    /// Whether payloads meet them that have this value at the place, or nothing.
    pub(super) fn hold_for(&self, value: Option<&[u8]>) -> bool {
        let Some(found) = value else {
            return self.any.is_empty() && self.matches.is_empty() && self.range.is_unbounded();
        };
        (self.any.is_empty() || self.any.iter().any(|wanted| wanted.is(found)))
            && !self.none.iter().any(|wanted| wanted.is(found))
            && self.range.contains(found)
            && (self.matches.is_empty() || scalar_text(found).is_some_and(|text| Pattern::any(&self.matches, &text)))
    }
}

/// A string without its escapes; a number or literal as it is written. `None` for the rest.
fn scalar_text(value: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    match value.first()? {
        b'"' => Reader::new(value).string(),
        b'{' | b'[' => None,
        _ => Some(std::borrow::Cow::Borrowed(value)),
    }
}
