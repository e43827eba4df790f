//! Writes CSV by RFC 4180, with cells that a spreadsheet would take for a formula defused.

use super::formula::needs_apostrophe;

/// The header of events.
pub const HEADER: &str = "topic,event_id,timestamp,source,payload,seq,received_at\r\n";

/// Writes a row to the end of `out`.
pub fn append_row<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a [u8]>) {
    for (column, cell) in cells.into_iter().enumerate() {
        if column > 0 {
            out.push(b',');
        }
        append_cell(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a cell to the end of `out`.
pub fn append_cell(out: &mut Vec<u8>, cell: &[u8]) {
    let defuse: &[u8] = if needs_apostrophe(cell) { b"'" } else { b"" };
    let quoted = cell.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'));
    if !quoted {
        out.extend_from_slice(defuse);
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(defuse);
    for part in cell.split_inclusive(|&byte| byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut out = Vec::new();
        append_row(&mut out, cells.iter().map(|cell| cell.as_bytes()));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_must_be_is_quoted() {
        assert_eq!(
            row(&["", "a b", "a,b", "say \"hi\"", "\"", "a\r\nb"]),
            ",a b,\"a,b\",\"say \"\"hi\"\"\",\"\"\"\",\"a\r\nb\"\r\n"
        );
    }

    #[test]
    fn formulas_become_text() {
        assert_eq!(row(&["=1+1", "+1", "-1", "@a", "\tx", "\rx"]), "'=1+1,'+1,'-1,'@a,'\tx,\"'\rx\"\r\n");
        assert_eq!(row(&["=A(\"x\",1)"]), "\"'=A(\"\"x\"\",1)\"\r\n");
        assert_eq!(row(&["a=1", "'=1", "{\"a\":-1}"]), "a=1,''=1,\"{\"\"a\"\":-1}\"\r\n");
    }

    proptest! {
        #[test]
        fn other_readers_agree(cells in proptest::collection::vec("[a=,\"\r\n' é@]{0,6}", 2..5)) {
            let text = row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let read: Vec<_> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
            let restored: Vec<_> = read.iter().map(|cell| crate::csv::restore(cell)).collect();
            prop_assert_eq!(restored, cells);
        }
    }
}
