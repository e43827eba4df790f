//! CSV with a header line. Cells are read as `sekali export` writes them, see [`sekali_wire::csv`].

use std::io::{self, Read};

use super::peek::Input;
use super::row::write_event;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record};
use sekali_wire::columns::{ADDED, EVENT};
use sekali_wire::csv::restore;

/// Reads rows and writes them as JSON.
pub(super) struct Rows {
    rows: csv::Reader<Bounded>,
    row: csv::ByteRecord,
    columns: [usize; 5],
    name: String,
}

impl Rows {
    /// Reads the header.
    pub(super) fn new(input: Input, name: &str) -> Result<Self, InputError> {
        let mut rows = csv::ReaderBuilder::new().from_reader(Bounded { input, left: EVENT_TEXT_BYTES_MAX });
        let header = rows.headers().map_err(|error| read_error(name, 1, error))?;
        let columns =
            find_columns(header).map_err(|reason| InputError::Syntax { name: name.to_owned(), line: 1, reason })?;
        Ok(Self { rows, row: csv::ByteRecord::new(), columns, name: name.to_owned() })
    }
}

impl ReadEvents for Rows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        self.rows.get_mut().left = EVENT_TEXT_BYTES_MAX;
        let line = self.rows.position().line();
        match self.rows.read_byte_record(&mut self.row) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.row.position().map_or(line, csv::Position::line);
                Ok(Some(match read_row(&self.row, self.columns, event) {
                    Ok(()) => Record::Event { line },
                    Err(reason) => Record::Invalid { line, reason },
                }))
            }
            Err(error) => match error.kind() {
                csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                    let line = pos.as_ref().map_or(line, csv::Position::line);
                    let reason = format!("has {len} columns where the header has {expected_len}");
                    Ok(Some(Record::Invalid { line, reason }))
                }
                _ => Err(read_error(&self.name, line, error)),
            },
        }
    }
}

fn find_columns(header: &csv::StringRecord) -> Result<[usize; 5], String> {
    let mut places = [None; 5];
    for (index, column) in header.iter().map(str::trim).enumerate() {
        match EVENT.iter().position(|&known| known == column) {
            Some(known) if places[known].replace(index).is_some() => return Err(format!("two columns named {column}")),
            Some(_) => {}
            None if ADDED.contains(&column) => {}
            None => return Err(format!("unknown column {column:?}: the header must be {}", EVENT.join(","))),
        }
    }
    let mut columns = [0; 5];
    for ((column, place), name) in columns.iter_mut().zip(places).zip(EVENT) {
        *column = place.ok_or_else(|| format!("no column {name}: the header must be {}", EVENT.join(",")))?;
    }
    Ok(columns)
}

fn read_row(row: &csv::ByteRecord, columns: [usize; 5], event: &mut Vec<u8>) -> Result<(), String> {
    let mut cells = [""; 5];
    for ((cell, column), name) in cells.iter_mut().zip(columns).zip(EVENT) {
        let bytes = row.get(column).unwrap_or_default();
        *cell = restore(std::str::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?);
    }
    write_event(cells, event)
}

fn read_error(name: &str, line: u64, error: csv::Error) -> InputError {
    let name = name.to_owned();
    match error.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            InputError::Syntax { name, line, reason: source.to_string() }
        }
        csv::ErrorKind::Io(source) => InputError::Io { name, source },
        csv::ErrorKind::Utf8 { .. } => InputError::Syntax { name, line, reason: "the header is not UTF-8".to_owned() },
        _ => InputError::Syntax { name, line, reason: "not CSV".to_owned() },
    }
}

/// Stops an unclosed quote from swallowing the rest of a large file into memory.
struct Bounded {
    input: Input,
    /// How much may still be read before the row must end. The reader's own buffer is small beside it.
    left: usize,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let reason = format!("row longer than {EVENT_TEXT_BYTES_MAX} bytes: is a quote missing?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let read = self.input.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read_all, reader};

    fn check(text: &'static str, expected: &expect_test::Expect) {
        let found = match read_all(text, "x.csv", None) {
            Ok(found) => found.join("\n"),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn rows_become_events() {
        check(
            "topic,event_id,timestamp,source,payload\n\
             demo,1,2025-10-24T21:00:00Z,csv,\"{\"\"message\"\":\"\"hello, \\u263a\"\"}\"\n\
             \"say \"\"hi\"\"\",2,2025-10-24T21:00:00Z,,{}\n",
            &expect_test::expect![[r#"
                2: {"topic":"demo","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"csv","payload":{"message":"hello, \u263a"}}
                3: {"topic":"say \"hi\"","event_id":"2","timestamp":"2025-10-24T21:00:00Z","source":"","payload":{}}"#]],
        );
    }

    #[test]
    fn columns_may_come_in_any_order_and_from_an_export() {
        check(
            "\u{feff}seq,payload,source,timestamp,event_id,topic,received_at\r\n9,{},s,t,e,t1,r\r\n",
            &expect_test::expect![[r#"1: {"topic":"t1","event_id":"e","timestamp":"t","source":"s","payload":{}}"#]],
        );
    }

    #[test]
    fn an_apostrophe_that_defuses_a_formula_is_taken_away_again() {
        check(
            "topic,event_id,timestamp,source,payload\n'=t,''@e,z,'tis,{}\n",
            &expect_test::expect![[
                r#"2: {"topic":"=t","event_id":"'@e","timestamp":"z","source":"'tis","payload":{}}"#
            ]],
        );
    }

    #[test]
    fn a_payload_cannot_smuggle_members_into_the_event() {
        check(
            "topic,event_id,timestamp,source,payload\nt,1,z,s,\"{},\"\"topic\"\":\"\"x\"\"\"\nt,2,z,s,\nt,3,z\nt,4,z,s,{}\n",
            &expect_test::expect![[r#"
                2: invalid, payload is not JSON: trailing characters at column 3
                3: invalid, payload is not JSON: EOF while parsing a value at column 0
                4: invalid, has 3 columns where the header has 5
                5: {"topic":"t","event_id":"4","timestamp":"z","source":"s","payload":{}}"#]],
        );
    }

    #[test]
    fn a_wrong_header_is_said_before_anything_is_sent() {
        check(
            "topic,event_id,timestamp,source\n",
            &expect_test::expect![
                "error: x.csv:1: no column payload: the header must be topic,event_id,timestamp,source,payload"
            ],
        );
        check(
            "topic,event_id,timestamp,source,payload,level\n",
            &expect_test::expect![[
                r#"error: x.csv:1: unknown column "level": the header must be topic,event_id,timestamp,source,payload"#
            ]],
        );
        check("topic,topic\n", &expect_test::expect!["error: x.csv:1: two columns named topic"]);
    }

    #[test]
    fn an_unclosed_quote_does_not_swallow_the_file() {
        use std::io::Read as _;
        let text = b"topic,event_id,timestamp,source,payload\nt,1,z,s,\"".chain(std::io::repeat(b'x'));
        let mut reader = reader(text, "x.csv", None).unwrap();
        let error = reader.next(&mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, "x.csv:2: row longer than 8388608 bytes: is a quote missing?");
    }
}
