//! CSV with any columns: some are parts of the event, the rest is its payload. Cells are text.

use sekali_wire::json::append_string;

use super::lines::most_frequent;
use super::rows::Rows;
use crate::input::peek::Input;
use crate::input::shape::Mapper;
use crate::input::{InputError, ReadEvents, Record};

/// Reads rows of any columns.
pub(in crate::input) struct AnyRows {
    rows: Rows,
    header: Vec<String>,
    /// Which columns are parts of the event, and not of the payload.
    is_part: Vec<bool>,
    mapper: Mapper,
    record: Vec<u8>,
    payload: Vec<u8>,
}

impl AnyRows {
    /// Reads the header.
    pub(in crate::input) fn new(input: Input, name: &str, mapper: Mapper) -> Result<Self, InputError> {
        let expected = "its first line must name the columns";
        let (rows, (header, is_part)) = Rows::begin(input, name, most_frequent, expected, |row| {
            let header = header_of(row)?;
            let is_part = mapper.mapping().columns(&header)?;
            Ok((header, is_part))
        })?;
        Ok(Self { rows, header, is_part, mapper, record: Vec::new(), payload: Vec::new() })
    }

    /// Writes the row as JSON: all of it, and the payload.
    fn write(&mut self) -> Result<(), String> {
        let row = self.rows.row();
        if row.len() != self.header.len() {
            return Err(format!("has {} columns where the header has {}", row.len(), self.header.len()));
        }
        self.record.clear();
        self.payload.clear();
        for ((name, cell), is_part) in self.header.iter().zip(row).zip(&self.is_part) {
            let cell = std::str::from_utf8(cell).map_err(|_| format!("{name} is not UTF-8"))?;
            append(&mut self.record, name, cell);
            if !is_part {
                append(&mut self.payload, name, cell);
            }
        }
        for object in [&mut self.record, &mut self.payload] {
            if object.is_empty() {
                object.push(b'{');
            }
            object.push(b'}');
        }
        Ok(())
    }
}

impl ReadEvents for AnyRows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            let lines = match self.rows.next()? {
                None => return Ok(None),
                Some(Err(damaged)) => return Ok(Some(damaged)),
                Some(Ok(lines)) => lines,
            };
            // Where files were joined, the header of the next one stands in the middle.
            if self.rows.row().iter().eq(self.header.iter().map(String::as_bytes)) {
                continue;
            }
            return Ok(Some(match self.write() {
                Ok(()) => self.mapper.event(&self.record, &self.payload, lines.first, event),
                Err(reason) => lines.invalid(reason),
            }));
        }
    }
}

fn append(object: &mut Vec<u8>, name: &str, text: &str) {
    object.push(if object.is_empty() { b'{' } else { b',' });
    append_string(object, name);
    object.push(b':');
    append_string(object, text);
}

fn header_of(row: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let mut header: Vec<String> = Vec::new();
    for (number, cell) in (1..).zip(row) {
        let name = std::str::from_utf8(cell).map_err(|_| "the header is not UTF-8")?.trim();
        if name.is_empty() {
            return Err(format!("column {number} has no name in the header"));
        }
        if header.iter().any(|known| known == name) {
            return Err(format!("two columns named {name}"));
        }
        header.push(name.to_owned());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sekali_server::mapping::Mapping;

    use crate::input::{InputFormat, Options, Record, Shape, reader};

    /// The events of a CSV file, or why there are none.
    fn read(text: &'static str, id: Option<&str>) -> String {
        let mapping = Mapping::new("orders.{shop}", "{host}", id, Some("at")).unwrap();
        let shape = Some(Shape::Mapped { mapping: Arc::new(mapping), records: None });
        let options = Options { format: Some(InputFormat::Csv), shape, ..Options::default() };
        let mut reader = match reader(text.as_bytes(), "x.csv", &options) {
            Ok(reader) => reader,
            Err(error) => return error.to_string(),
        };
        let (mut event, mut lines) = (Vec::new(), Vec::new());
        while let Some(record) = reader.next(&mut event).unwrap() {
            lines.push(match record {
                Record::Event { line } => format!("{line}: {}", String::from_utf8_lossy(&event)),
                Record::Invalid { line, reason, .. } => format!("{line}: invalid, {reason}"),
            });
        }
        lines.join("\n")
    }

    #[test]
    fn named_columns_are_parts_of_the_event_and_the_rest_is_payload() {
        let text = "order;shop;at;host;amount;note\n1;a;2025-10-24T21:00:00Z;h;12;\"x;\"\"y\"\"\"\n\
            order;shop;at;host;amount;note\n2;b;1761339600;;;\n3;c\n;d;1761339600;h;1;\n4;e;soon;h;1;\n5;;0;h;1;\n";
        expect_test::expect![[r#"
            2: {"topic":"orders.a","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"h","payload":{"amount":"12","note":"x;\"y\""}}
            4: {"topic":"orders.b","event_id":"2","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{"amount":"","note":""}}
            5: invalid, has 2 columns where the header has 6
            6: invalid, has no id at order
            7: invalid, has no time that is understood at at: "soon"
            8: invalid, has no value for the topic at shop"#]]
        .assert_eq(&read(text, Some("order")));
    }

    #[test]
    fn a_header_that_lacks_a_column_is_told_with_those_that_it_has() {
        assert_eq!(read("shop,at,host\n", Some("order")), "x.csv:1: no column order: the header has shop, at, host");
        assert_eq!(read("shop,shop\n", None), "x.csv:1: two columns named shop");
        assert_eq!(read("shop,,at\n", None), "x.csv:1: column 2 has no name in the header");
        assert!(read("", None).contains("there is no header"));
    }

    #[test]
    fn rows_without_an_id_have_the_same_ids_when_the_file_has_grown() {
        let ids = |text: &'static str| -> Vec<String> {
            let id = |line: &str| line.split("\"event_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            read(text, None).lines().map(id).collect()
        };
        let short = ids("shop\tat\thost\na\t0\th\na\t0\th\n");
        let long = ids("shop\tat\thost\na\t0\th\na\t0\th\nb\t1\th");
        assert_eq!(long[..2], short);
        assert!(long[0] != long[1] && long[0].starts_with("p:") && long.len() == 3, "{long:?}");
    }
}
