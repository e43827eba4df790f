//! Statements of SQL made to take time or memory: each ends in bounded time, by an error or an
//! answer, and the server stays small and goes on.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{MIB, Victim};

/// Longest that any of them may take with `within=1s`, on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);
/// The memory of statements, of an answer that is made and one that is sent, and something.
const GROWTH_BYTES_MAX: u64 = 384 * MIB;
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";

/// A server with 20 large events.
fn filled() -> Victim {
    let victim = Victim::start();
    for at in 0..20 {
        let event = json!({"topic": "t", "event_id": at.to_string(), "timestamp": "2025-10-24", "source": "s",
            "payload": {"text": "0".repeat(900_000), "n": at}});
        let (status, answer) = post(&victim, "/publish", "application/json", &event.to_string());
        assert_eq!(status, 202, "{answer}");
    }
    victim
}

/// Status and answer of a request.
fn post(victim: &Victim, path: &str, content_type: &str, body: &str) -> (u16, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let answer = victim.exchange(format!("{head}{body}").as_bytes());
    (answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
}

fn ask(victim: &Victim, within: &str, statement: &str) -> (u16, String) {
    post(victim, &format!("/sql?within={within}"), "application/sql", statement)
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("SELECT {}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Each doubles the one before.
fn doubling_tables(depth: usize) -> String {
    let tables: Vec<_> = (1..=depth).map(|at| format!("t{at} AS (SELECT 1 AS x FROM t{0}, t{0})", at - 1)).collect();
    format!("WITH t0 AS (SELECT 1 AS x), {} SELECT count(*) FROM t{depth}", tables.join(", "))
}

fn statements() -> Vec<String> {
    let many = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<Vec<_>>().join(", ");
    let mut statements: Vec<_> = [
        "SELECT count(*) FROM n",
        "SELECT * FROM n ORDER BY hex(x) DESC",
        "SELECT * FROM n ORDER BY printf('%1000000d', x)",
        "SELECT count(DISTINCT printf('%100000d', x)) FROM n",
        "SELECT group_concat(x) FROM n",
        "SELECT json_group_array(printf('%100000d', x)) FROM n",
        "SELECT printf('%100000d', x) FROM n GROUP BY 1",
        "SELECT x, sum(x) OVER (ORDER BY x ROWS BETWEEN 1000000 PRECEDING AND CURRENT ROW) FROM n",
        "SELECT group_concat(printf('%10000d', x)) OVER (ORDER BY x ROWS 1000 PRECEDING) FROM n",
        "SELECT * FROM n a, n b, n c WHERE a.x < 0",
    ]
    .map(|rest| format!("{ENDLESS} {rest}"))
    .into();
    statements.extend(
        [
            "WITH RECURSIVE t(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM t) SELECT length(x) FROM t",
            "SELECT count(*) FROM events a, events b, events c, events d, events e, events f, events g",
            "SELECT a.payload || b.payload || c.payload || d.payload FROM events a, events b, events c, events d",
            "SELECT count(*) FROM events a, events b WHERE instr(a.payload, substr(b.payload, 20, 400000) || 'x')",
            "SELECT count(*) FROM events a, events b WHERE length(replace(a.payload, substr(b.payload, 20, 400000), ''))",
            "SELECT length(trim(a.payload, b.payload || c.payload)) FROM events a, events b, events c",
            "SELECT count(*) FROM events a, events b WHERE a.payload LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%0%x%' || b.seq",
            "SELECT count(*) FROM events a, events b WHERE a.payload GLOB '*0*0*0*0*0*0*0*0*0*0*[a-z]*x' || b.seq",
            "SELECT count(*) FROM events a, events b WHERE printf('%.*s', 100000000, a.payload) < b.payload",
            "SELECT length(printf('%100000000d', 1))",
            "SELECT length(printf('%.100000000f', 1e300))",
            "SELECT length(hex(hex(hex(payload)))) FROM events",
            "SELECT length(quote(payload || payload)) FROM events",
            "SELECT json_set(payload, '$.a', payload, '$.b', payload, '$.c', payload, '$.d', payload) FROM events",
            "SELECT count(*) FROM events a, events b, json_tree(a.payload) c, json_tree(b.payload) d, events e, events f",
        ]
        .map(str::to_owned),
    );
    statements.extend([
        nested("(", "1", ")", 20_000),
        nested("abs(", "1", ")", 5_000),
        nested("(SELECT ", "1", ")", 5_000),
        nested("-", "1", "", 30_000).replace("--", "- -"),
        format!("SELECT {}", vec!["1"; 20_000].join("+")),
        format!("SELECT * FROM {}events{}", "(SELECT * FROM ".repeat(3_000), ")".repeat(3_000)),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(3_000)),
        format!("SELECT * FROM events {}", ", events".repeat(200)),
        format!("SELECT {}", many(2_000, &|at| at.to_string())),
        format!("SELECT 1 IN ({})", many(2_500, &|at| format!("printf('%{}d', 1)", 4_000_000 - at))),
        format!("SELECT max({})", many(30, &|at| format!("printf('%{}d', 1)", 4_000_000 - at))),
        format!("SELECT {}", many(90, &|at| format!("printf('%{}d', 1)", 4_000_000 - at))),
        format!("SELECT {} FROM events", many(90, &|at| format!("payload || '{at}'"))),
        format!("SELECT 1 WHERE 1 {}", "AND (1 = 1 OR 2 = 2) ".repeat(2_500)),
        format!("SELECT json_extract('{}', '$')", "[".repeat(60_000)),
        format!("SELECT '{}'", "x".repeat(70_000)),
        doubling_tables(12),
        doubling_tables(40),
    ]);
    statements
}

#[test]
fn hostile_statements_end() {
    let victim = filled();
    let before = victim.memory("VmRSS");
    let mut slowest = (Duration::ZERO, String::new());
    for statement in statements() {
        let begun = Instant::now();
        let (status, answer) = ask(&victim, "1s", &statement);
        let took = begun.elapsed();
        let shown: String = statement.chars().take(120).collect();
        let told: String = answer.chars().take(2_000).collect();
        assert!(matches!(status, 200 | 400 | 422), "{shown}: {told}");
        assert!(took < LONGEST, "{shown} took {took:?}");
        let grown = victim.memory("VmHWM").saturating_sub(before);
        assert!(grown < GROWTH_BYTES_MAX, "{shown}: grown by {} MiB", grown / MIB);
        if took > slowest.0 {
            slowest = (took, shown);
        }
    }
    let grown = victim.memory("VmHWM").saturating_sub(before) / MIB;
    println!("grown by {grown} MiB; the slowest took {:?}: {}", slowest.0, slowest.1);
    victim.expect_others_are_served();
    let (status, answer) = ask(&victim, "10s", "SELECT count(*) FROM events WHERE topic = 't'");
    assert!(status == 200 && answer.contains("[[20]]"), "{answer}");
}

#[test]
fn many_statements_wait_or_are_refused() {
    let victim = filled();
    let statement = format!("{ENDLESS} SELECT count(*) FROM n");
    let statuses: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = (0..40).map(|_| scope.spawn(|| ask(&victim, "500ms", &statement).0)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 422 | 503)), "{statuses:?}");
    assert!(statuses.contains(&422) && statuses.contains(&503), "{statuses:?}");
    assert_eq!(ask(&victim, "10s", "SELECT 1").0, 200);
}

#[test]
fn a_statement_ends_with_its_client() {
    let victim = filled();
    let statement = format!("{ENDLESS} SELECT count(*) FROM n");
    for _ in 0..4 {
        let head = format!(
            "POST /sql?within=60s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/sql\r\n\
             content-length: {}\r\n\r\n{statement}",
            statement.len()
        );
        let mut stream = victim.connect();
        stream.write_all(head.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(300));
        drop(stream);
    }
    // Both threads are free again, long before the time of those statements is up.
    let begun = Instant::now();
    assert_eq!(ask(&victim, "10s", "SELECT 1").0, 200);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
