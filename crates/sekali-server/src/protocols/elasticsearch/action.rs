//! The action lines of a bulk body.

use std::borrow::Cow;

use crate::identity::text_of;
use crate::protocols::json::members;

/// The operation on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Index,
    Update,
    Delete,
}

/// An action line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action<'a> {
    pub(super) operation: Operation,
    pub(super) index: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
}

impl Operation {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Index => "index",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// Whether a line with a document follows.
    pub(super) fn has_document(self) -> bool {
        self != Self::Delete
    }
}

impl<'a> Action<'a> {
    /// Reads a line, which is valid JSON. Some clients put members of their own beside the action.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let (operation, about) = members(line).find_map(|(name, value)| {
            let all = [Operation::Create, Operation::Index, Operation::Update, Operation::Delete];
            Some((all.into_iter().find(|operation| operation.as_str() == name)?, value))
        })?;
        let (mut index, mut id) = (None, None);
        for (name, value) in members(about) {
            match &*name {
                "_index" => index = text_of(value),
                "_id" => id = text_of(value),
                _ => {}
            }
        }
        // An empty id is none: templates of shippers write one where they have no value.
        Some(Self { operation, index, id: id.filter(|id| !id.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_however_they_are_written() {
        for (line, operation, index, id) in [
            (r#"{"create":{"_index": "rs", "_id":"1"}}"#, Operation::Create, Some("rs"), Some("1")),
            (r#"{ "index" : { } , "attempts" : 1 }"#, Operation::Index, None, None),
            (r#"{"attempts":2,"create":{"_id":7}}"#, Operation::Create, None, Some("7")),
            (r#"{"update":{"_index":"a","_id":"\u0041"}}"#, Operation::Update, Some("a"), Some("A")),
            (r#"{"delete":{"_id":""}}"#, Operation::Delete, None, None),
        ] {
            let expected = Action { operation, index: index.map(Into::into), id: id.map(Into::into) };
            assert_eq!(Action::parse(line.as_bytes()), Some(expected), "{line}");
        }
        for wrong in ["{}", "[]", "1", r#"{"upsert":{}}"#] {
            assert_eq!(Action::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
