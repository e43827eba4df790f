//! Every answer has the id of its request.

use crate::server::{TestServer, event};

#[test]
fn an_id_of_the_client_comes_back_and_others_are_made() {
    let server = TestServer::start();
    let own = |path: &str| server.request("GET", path).header("x-request-id", "trace-7f").send();
    assert_eq!(own("/stats").header("x-request-id"), Some("trace-7f"));
    assert_eq!(own("/nowhere").expect_error(404, "not_found").header("x-request-id"), Some("trace-7f"));
    let made: Vec<_> = (0..3).map(|id| server.publish(&event("t", &id.to_string()))).collect();
    let mut ids: Vec<_> = made.iter().map(|answer| answer.header("x-request-id").unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 17), "{ids:?}");
    let odd = server.request("GET", "/stats").header("x-request-id", "two words").send();
    assert_ne!(odd.header("x-request-id"), Some("two words"));
}
