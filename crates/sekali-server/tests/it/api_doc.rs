//! `docs/API.md` agrees with the program.

use std::collections::BTreeSet;
use std::path::Path;

use sekali_server::http::{Code, ROUTES, Route, SHIPPER_ROUTES, Stored};

fn document() -> String {
    read("API.md")
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_route_of_a_shipper_is_documented_and_no_other() {
    let text = read("SHIPPERS.md");
    let table = text.rsplit_once("| route | protocol |").unwrap().1;
    let documented: BTreeSet<_> = table.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let served: BTreeSet<_> = SHIPPER_ROUTES.iter().map(Route::name).collect();
    assert_eq!(documented, served);
}

#[test]
fn every_route_is_documented_and_no_other() {
    let text = document();
    let heading = |line: &str| line.strip_prefix("## `").and_then(|rest| rest.strip_suffix('`')).map(str::to_owned);
    let documented: BTreeSet<_> = text.lines().filter_map(heading).collect();
    let served: BTreeSet<_> = ROUTES.iter().map(Route::name).collect();
    assert_eq!(documented, served);
}

#[test]
fn every_error_code_is_documented_as_it_is() {
    let text = document();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let documented: BTreeSet<_> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|cells| cells.len() == 7)
        .map(|cells| cells[1..5].join(" "))
        .collect();
    let expected: BTreeSet<_> = Code::ALL
        .iter()
        .map(|code| {
            let retry = match (code.is_retryable(), code.retry_after_seconds()) {
                (_, Some(seconds)) => format!("after {seconds} s"),
                (true, None) => "yes".to_owned(),
                (false, None) => "no".to_owned(),
            };
            let stored = match code.stored_anything() {
                Stored::Nothing => "nothing",
                Stored::Unknown => "unknown",
            };
            format!("`{}` {} {retry} {stored}", code.as_str(), code.status())
        })
        .collect();
    assert_eq!(documented, expected);
}
