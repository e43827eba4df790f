//! `sekali sql`, by a server and on a data directory.

use crate::process::{run, run_with_input};
use crate::served::Served;

const STATEMENT: &str = "SELECT count(*) AS n, count(DISTINCT topic) > 0 AS topics FROM events";

#[test]
fn a_statement_is_answered_by_a_server_and_from_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    run(&["publish", "--url", &served.url, "--count", "500", "--seed", "7", "--json"]).json();
    let data_dir = dir.path().to_str().unwrap();
    let mut ways = vec![vec!["--url", served.url.as_str()]];
    // Beside the running server.
    ways.push(vec!["--data-dir", data_dir]);
    let stored = run(&["stats", "--url", &served.url, "--json"]).json()["unique_processed"].to_string();
    for way in ways {
        let ask = |arguments: &[&str]| run(&[&["sql"], way.as_slice(), arguments].concat());
        let lines = ask(&[STATEMENT]);
        assert_eq!(
            (lines.code, lines.stdout.as_str()),
            (Some(0), format!("{{\"n\":{stored},\"topics\":1}}\n").as_str())
        );
        assert_eq!(ask(&[STATEMENT, "--csv"]).stdout, format!("n,topics\r\n{stored},1\r\n"));
        let answer = ask(&[STATEMENT, "--json"]).json();
        assert_eq!((answer["rows"][0][0].to_string(), &answer["complete"]), (stored.clone(), &true.into()));
        let input = run_with_input(&[&["sql"], way.as_slice(), &["-"]].concat(), STATEMENT);
        assert_eq!(input.stdout, lines.stdout, "{input:?}");
        let wrong = ask(&["SELECT missing FROM events"]);
        assert_eq!(wrong.code, Some(4), "{wrong:?}");
        assert!(wrong.stderr.contains("no such column: missing at line 1 column 8"), "{wrong:?}");
        let writes = ask(&["DELETE FROM events"]);
        assert!(writes.code == Some(4) && writes.stderr.contains("can only read"), "{writes:?}");
    }
    let absent = run(&["sql", "--data-dir", "/nonexistent/sekali", STATEMENT]);
    assert_eq!(absent.code, Some(2), "{absent:?}");
}
