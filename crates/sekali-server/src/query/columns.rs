//! The columns of an answer: some fields of events, in the order that a client wants them.

use sekali_store::StoredEvent;
use sekali_wire::json::append_string;

use super::field::{Field, FieldValue};
use crate::limits::{COLUMN_LEVELS_MAX, COLUMNS_MAX};

/// Some fields of events, none of them twice.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    fields: Vec<Field>,
}

impl Columns {
    /// Reads names with commas between them.
    ///
    /// # Errors
    /// One of them names no field or is there twice, or they are too many.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields = Field::parse_list(text, COLUMNS_MAX)?;
        let levels: usize = fields.iter().map(Field::levels).sum();
        if levels > COLUMN_LEVELS_MAX {
            return Err(format!("names paths with {levels} levels together, and may have {COLUMN_LEVELS_MAX}"));
        }
        Ok(Self { fields })
    }

    /// Every field but the places in the payload.
    pub(crate) fn all() -> Self {
        Self { fields: Field::all() }
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(Field::name)
    }

    /// Their values in an event; `None` for those that it does not have.
    pub(crate) fn values<'e>(&self, event: &'e StoredEvent) -> impl Iterator<Item = Option<FieldValue<'e>>> {
        self.fields.iter().map(|field| field.value(event))
    }

    /// Writes an event to the end of `out` as a JSON object with these members, as they were
    /// published. Members that the event does not have are left out.
    pub(crate) fn append_object(&self, event: &StoredEvent, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut is_first = true;
        for field in &self.fields {
            let begin = out.len();
            if !is_first {
                out.push(b',');
            }
            append_string(out, field.name());
            out.push(b':');
            if field.append_json(&event.view(), out) {
                is_first = false;
            } else {
                out.truncate(begin);
            }
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_missing_are_left_out() {
        let event = StoredEvent {
            seq: 7,
            received_at_ns: 0,
            topic: "t".to_owned(),
            event_id: "1".to_owned(),
            timestamp_ns: 0,
            source: "s".to_owned(),
            payload: br#"{"a":{"b":1.50},"z":null}"#.to_vec(),
        };
        let object = |columns| {
            let mut out = Vec::new();
            Columns::parse(columns).unwrap().append_object(&event, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(object("payload.x,seq,payload.a.b"), r#"{"seq":7,"payload.a.b":1.50}"#);
        assert_eq!(object("payload.x"), "{}");
        assert_eq!(object("payload.a,payload.y,payload.z"), r#"{"payload.a":{"b":1.50},"payload.z":null}"#);
    }

    #[test]
    fn columns_are_bounded() {
        let list = |count: usize| (0..count).map(|at| format!("payload.a{at}")).collect::<Vec<_>>().join(",");
        assert!(Columns::parse(&list(COLUMNS_MAX)).is_ok() && Columns::parse(&list(COLUMNS_MAX + 1)).is_err());
        let deep = |levels: usize| format!("payload.a{}", ".a".repeat(levels - 1));
        assert!(Columns::parse(&format!("{},payload.b", deep(COLUMN_LEVELS_MAX))).is_err());
        assert!(Columns::parse("").is_err());
    }
}
