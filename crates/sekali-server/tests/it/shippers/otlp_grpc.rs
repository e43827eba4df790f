//! OpenTelemetry logs over gRPC.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2;
use hyper::header::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sekali_server::access::Scope;
use sekali_server::server::Port;
use sekali_store::disk::RealDisk;

use super::otlp::{PYTHON, field, request, uid};
use super::{counted, events, gzip, quarantined};
use crate::access::visitor::{make, start};
use crate::overloaded::Overloaded;
use crate::server::TestServer;

const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// An answer of a call.
#[derive(Debug)]
struct Called {
    http_status: u16,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

impl Called {
    /// The status, from the trailers, or from the headers of an answer that has nothing else.
    fn status(&self) -> &str {
        let headers = self.trailers.as_ref().unwrap_or(&self.headers);
        headers["grpc-status"].to_str().unwrap()
    }

    #[track_caller]
    fn expect_done(&self, message: &[u8]) -> &Self {
        assert_eq!(self.http_status, 200, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/grpc");
        assert!(self.trailers.is_some() && self.status() == "0", "{self:?}");
        assert_eq!(self.body, framed(0, message), "{self:?}");
        self
    }

    #[track_caller]
    fn expect_refused(&self, status: &str, code: &str) -> &Self {
        assert_eq!((self.http_status, self.status()), (200, status), "{self:?}");
        assert!(self.body.is_empty() && self.trailers.is_none(), "{self:?}");
        let message = self.headers["grpc-message"].to_str().unwrap();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
        self
    }
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

/// Calls the method with this body and these headers.
fn call(server: &TestServer, address: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Called {
    server.runtime().block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::post(format!("http://{address}{EXPORT}")).header("te", "trailers");
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned();
        Called { http_status: parts.status.as_u16(), headers: parts.headers, body: collected.to_bytes(), trailers }
    })
}

#[test]
fn records_are_stored_once_on_the_main_port_and_on_one_of_its_own() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| {
        config.ports = vec![(Port::OtlpGrpc, "127.0.0.1:0".to_owned())];
    });
    for address in [server.address(), server.port(Port::OtlpGrpc)] {
        call(&server, &address, &[], framed(0, PYTHON)).expect_done(b"");
        // The bytes are others, so that ids from the request are others as well.
        let declared = request(&[uid("1", "a")]);
        call(&server, &address, &[("grpc-encoding", "gzip")], framed(1, &gzip(&declared))).expect_done(b"");
        call(&server, &address, &[("content-type", "application/grpc+proto")], framed(0, b"")).expect_done(b"");
    }
    server.expect_counts(6, 3, 3, 0);
    assert_eq!((events(&server, "topic=shop").len(), events(&server, "topic=otlp").len()), (2, 1));
    let counted = counted(&server, "otlp");
    assert_eq!((&counted["request"], &counted["declared"]), (&4.into(), &2.into()));
}

#[test]
fn conflicts_and_records_in_quarantine_are_a_partial_success() {
    let server = TestServer::start();
    let address = server.address();
    call(&server, &address, &[], framed(0, &request(&[uid("1", "a")]))).expect_done(b"");
    let large = field(5, &field(1, "x".repeat(1_100_000).as_bytes()));
    let body = request(&[uid("0", "x"), uid("1", "b"), large, uid("2", "y")]);
    let message =
        "1 records have a known log.record.uid and other content; 1 are no events and were kept in quarantine";
    let partial = [&[0x08, 1][..], &field(2, message.as_bytes())].concat();
    call(&server, &address, &[], framed(0, &body)).expect_done(&field(1, &partial));
    assert_eq!((events(&server, "topic=otlp").len(), quarantined(&server).len()), (3, 1));
}

#[test]
fn broken_messages_are_final_errors_and_store_nothing() {
    let server = TestServer::start();
    let address = server.address();
    let whole = framed(0, &request(&[uid("1", "a")]));
    let packed = gzip(PYTHON);
    let gzipped: &[(&str, &str)] = &[("grpc-encoding", "gzip")];
    let plain: &[(&str, &str)] = &[];
    let zstd: &[(&str, &str)] = &[("grpc-encoding", "zstd")];
    for (headers, body) in [
        (plain, vec![]),
        (plain, whole[..4].to_vec()),
        (plain, whole[..whole.len() - 1].to_vec()),
        (plain, [whole.clone(), whole.clone()].concat()),
        (plain, framed(2, b"")),
        (plain, framed(1, &packed)),
        (zstd, framed(1, &packed)),
        (gzipped, framed(1, b"no gzip")),
        (gzipped, framed(1, &packed[..packed.len() - 1])),
    ] {
        call(&server, &address, headers, body).expect_refused("3", "invalid_encoding");
    }
    call(&server, &address, &[], framed(0, &PYTHON[..PYTHON.len() - 1])).expect_refused("3", "invalid_event");
    let bomb = gzip(&vec![0; 100_000_000]);
    call(&server, &address, gzipped, framed(1, &bomb)).expect_refused("3", "too_large");
    let other = call(&server, &address, &[("content-type", "application/json")], whole);
    assert_eq!((other.http_status, other.trailers.is_none()), (415, true));
    server.expect_nothing_stored();
}

#[test]
fn a_key_is_shown_in_the_metadata() {
    let (server, (publish, read)) =
        start(1, |dir| (make(dir, &[Scope::Publish], &["*"]), make(dir, &[Scope::Read], &["*"])));
    let address = server.address();
    let body = || framed(0, PYTHON);
    call(&server, &address, &[], body()).expect_refused("16", "unauthenticated");
    let shown = |key: &sekali_wire::secret::Secret| format!("Bearer {}", key.expose());
    call(&server, &address, &[("authorization", &shown(&read))], body()).expect_refused("7", "forbidden");
    call(&server, &address, &[("authorization", &shown(&publish))], body()).expect_done(b"");
}

#[test]
fn overload_says_when_to_come_back() {
    let mut busy = Overloaded::start();
    let text = "z".repeat(20_000_000);
    let address = busy.server.address();
    let called = call(&busy.server, &address, &[], framed(0, &field(9, text.as_bytes())));
    let details =
        STANDARD_NO_PAD.decode(called.expect_refused("8", "overloaded").headers["grpc-status-details-bin"].as_bytes());
    let info = [&field(1, b"type.googleapis.com/google.rpc.RetryInfo")[..], &field(2, &field(1, &[0x08, 1]))].concat();
    assert!(details.unwrap().ends_with(&field(3, &info)), "RESOURCE_EXHAUSTED is final without it");
    busy.release();
}
