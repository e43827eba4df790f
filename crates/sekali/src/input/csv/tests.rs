use super::super::{InputFormat, Options, read_all, reader};

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
        &expect_test::expect![[r#"2: {"topic":"t1","event_id":"e","timestamp":"t","source":"s","payload":{}}"#]],
    );
}

#[test]
fn lines_may_end_in_any_way_and_cells_may_have_line_breaks() {
    check(
        "topic,event_id,timestamp,source,payload\r\rt,1,z,s,{}\rt,2,z,\"a\r\nb\",\"{\n}\"\r\nt,3,z,s,{}",
        &expect_test::expect![[r#"
            3: {"topic":"t","event_id":"1","timestamp":"z","source":"s","payload":{}}
            4: {"topic":"t","event_id":"2","timestamp":"z","source":"a\r\nb","payload":{
            }}
            7: {"topic":"t","event_id":"3","timestamp":"z","source":"s","payload":{}}"#]],
    );
}

#[test]
fn an_apostrophe_that_defuses_a_formula_is_taken_away_again() {
    check(
        "topic,event_id,timestamp,source,payload\n'=t,''@e,z,'tis,{}\n",
        &expect_test::expect![[r#"2: {"topic":"=t","event_id":"'@e","timestamp":"z","source":"'tis","payload":{}}"#]],
    );
}

#[test]
fn a_payload_cannot_smuggle_members_into_the_event() {
    check(
        "topic,event_id,timestamp,source,payload\nt,1,z,s,\"{},\"\"topic\"\":\"\"x\"\"\"\nt,2,z,s,\nt,3,z\nt,4,z,s,{}\n",
        &expect_test::expect![[r#"
            2: invalid, payload is not JSON: trailing characters at column 3
            3: invalid, payload is not JSON: it is empty
            4: invalid, has 3 columns where the header has 5
            5: {"topic":"t","event_id":"4","timestamp":"z","source":"s","payload":{}}"#]],
    );
}

#[test]
fn a_wrong_header_is_said_before_anything_is_sent() {
    for (text, expected) in [
        ("topic,event_id,timestamp,source\n", "no column payload"),
        ("topic,event_id,timestamp,source,payload,level\n", "unknown column \"level\""),
        ("topic;event_id;timestamp;source;payload;level\n", "unknown column \"level\""),
        ("topic,topic\n", "two columns named topic"),
        ("\n\n", "there is no header"),
        ("", "there is no header"),
    ] {
        let error = read_all(text, "x.csv", None).unwrap_err().to_string();
        assert!(error.starts_with("x.csv:1: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn cells_may_be_separated_by_semicolons_tabs_and_bars() {
    for separator in [';', '\t', '|'] {
        let header = "topic,event_id,timestamp,source,payload".replace(',', &separator.to_string());
        let row = format!("\"a{separator}b\"{separator}1{separator}z{separator}x,y{separator}{{}}");
        for text in [format!("{header}\n{row}\n"), format!("sep={separator}\r\n{header}\r\n{row}\r\n")] {
            let text: &'static str = text.leak();
            let found = read_all(text, "stdin", None).unwrap();
            let event = found[0].split_once(": ").unwrap().1;
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            assert_eq!((found.len(), event["topic"].as_str()), (1, Some(&*format!("a{separator}b"))), "{text}");
            assert_eq!(event["source"], "x,y");
        }
    }
}

const HEADER: &str = "topic,event_id,timestamp,source,payload\n";

/// The ids of the events that are read, and the lines that are not.
fn ids_and_lines(text: &str) -> (Vec<String>, Vec<String>) {
    let text: &'static str = text.to_owned().leak();
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    for found in read_all(text, "x.csv", Some(InputFormat::Csv)).unwrap() {
        let (line, rest) = found.split_once(": ").unwrap();
        match serde_json::from_str::<serde_json::Value>(rest) {
            Ok(event) => ids.push(event["event_id"].as_str().unwrap().to_owned()),
            Err(_) => lines.push(line.to_owned()),
        }
    }
    (ids, lines)
}

#[test]
fn a_quote_that_is_not_closed_spoils_its_own_line_and_no_other() {
    let good = |id: u32| format!("t,{id},z,s,{{}}\n");
    let quoted = |id: u32| format!("t,{id},z,\"s, t\",\"{{\"\"a\"\":{id}}}\"\n");
    for bad in ["t,1,z,s,\"{}\n", "t,1,z,\"s,{}\n", "\"t,1,z,s,{}\n", "t,1,z,s,{}\"\"\",\"\n"] {
        for row in [good, quoted as fn(u32) -> String] {
            let rows: String = (3..12).map(row).collect();
            let (ids, lines) = ids_and_lines(&format!("{HEADER}{}{bad}{rows}", row(2)));
            assert_eq!(lines, ["3"], "{bad}");
            assert_eq!(ids, (2..12).map(|id| id.to_string()).collect::<Vec<_>>(), "{bad}");
        }
    }
}

#[test]
fn every_line_with_an_open_quote_is_named() {
    let bad = "t,1,z,s,\"{}\n";
    let (ids, lines) = ids_and_lines(&format!("{HEADER}{bad}{bad}t,2,z,s,{{}}\n{bad}"));
    assert_eq!((ids, lines), (vec!["2".to_owned()], ["2", "3", "5"].map(str::to_owned).to_vec()));
}

#[test]
fn a_header_and_a_mark_in_the_middle_are_no_rows() {
    let other = "payload,source,timestamp,event_id,topic\n{},s,z,2,t\n";
    let (ids, lines) =
        ids_and_lines(&format!("\u{feff}{HEADER}t,1,z,s,{{}}\n\u{feff}{other}\u{feff}{HEADER}t,3,z,s,{{}}"));
    assert_eq!((ids, lines), (["1", "2", "3"].map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn an_unclosed_quote_does_not_swallow_the_file() {
    use std::io::Read as _;
    let text = b"topic,event_id,timestamp,source,payload\nt,1,z,s,\"\n".chain(std::io::repeat(b'x').take(1 << 25));
    let mut reader = reader(text, "x.csv", &Options::default()).unwrap();
    let mut event = Vec::new();
    for line in [2, 3] {
        let record = reader.next(&mut event).unwrap();
        assert!(matches!(record, Some(super::Record::Invalid { line: found, .. }) if found == line), "{record:?}");
    }
    assert_eq!(reader.next(&mut event).unwrap(), None);
}
