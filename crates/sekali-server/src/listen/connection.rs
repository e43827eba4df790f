//! One connection, from its first byte to its last.

use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::activity::{Activity, Verdict};
use super::certificates::Certificates;
use super::draining::{Draining, cut, drained};
use super::permits::ConnectionPermit;
use super::poll_on_wake::PollOnWake;
use super::watched::{WatchedBody, WatchedStream};
use crate::http::{Arrival, BodyWatch, Door, HangUp, RequestBody};
use crate::identity::Receipts;
use crate::limits::{CONNECTION_BUFFER_BYTES, HTTP2_WINDOW_BYTES, LAST_REQUESTS_TIME, STREAMS_PER_CONNECTION_MAX};
use crate::protocols::Port;
use crate::timeouts::Timeouts;

/// The purpose of a listening socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrance {
    /// A protocol, or everything.
    pub(crate) port: Option<Port>,
    /// Whether requests must ask for a name of this server while there are no keys.
    pub(crate) checks_host: bool,
}

/// Everything that serving a connection needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ConnectionContext {
    pub(crate) door: Door,
    pub(crate) timeouts: Timeouts,
    /// Where there are any, TLS is spoken and nothing else.
    pub(crate) certificates: Option<Certificates>,
}

impl ConnectionContext {
    /// Serves a connection until it closes, idles for too long, gets stuck, or the server drains
    /// and its requests are answered. Holds `place` as long.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        mut draining: watch::Receiver<Draining>,
        entrance: Entrance,
        place: ConnectionPermit,
    ) {
        let _counted = self.door.connected();
        let Entrance { port, checks_host } = entrance;
        let arrival = Arrival { network: place.network(), port, checks_host };
        // Answers are small, and clients wait for them.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = self.certificates.as_ref().map(Certificates::acceptor) else {
            return speak(stream, self.door, arrival, self.timeouts, draining).await;
        };
        let stream = tokio::select! {
            stream = shake_hands(acceptor, stream, self.timeouts) => stream,
            // There is no request in it yet.
            () = cut(&mut draining) => None,
        };
        if let Some(stream) = stream {
            speak(stream, self.door, arrival, self.timeouts, draining).await;
        }
    }
}

/// Begins TLS. A failed handshake costs only this connection.
async fn shake_hands(acceptor: TlsAcceptor, stream: TcpStream, timeouts: Timeouts) -> Option<TlsStream<TcpStream>> {
    match timeout(timeouts.headers, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            debug!("a TLS handshake was cut off: its client is too slow");
            None
        }
    }
}

/// Speaks HTTP/1.1 or HTTP/2, whichever the client begins with.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    door: Door,
    arrival: Arrival,
    timeouts: Timeouts,
    mut draining: watch::Receiver<Draining>,
) {
    let activity = Activity::new(timeouts);
    let io = TokioIo::new(WatchedStream { stream, activity: Arc::clone(&activity) });
    let watched = Arc::clone(&activity);
    let receipts = Receipts::default();
    let asked = receipts.clone();
    // Every request counts itself in and out, which is slow where others do so on other cores: so
    // this connection has a count of its own.
    let door = Arc::new(door);
    let service = service_fn(move |mut request: Request<Incoming>| {
        asked.prove();
        request.extensions_mut().insert(asked.clone());
        answer(Arc::clone(&door), arrival, Arc::clone(&watched), request)
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut check = interval(timeouts.check_interval);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut phase = Phase::Open;
    loop {
        let occasion = pin!(occasion(&mut draining, &mut check, phase));
        let occasion = tokio::select! {
            biased;
            outcome = connection.as_mut() => {
                match outcome {
                    Ok(()) if !activity.is_broken() => receipts.prove(),
                    Ok(()) => {}
                    Err(error) => debug!(error, "a connection broke off"),
                }
                return;
            }
            occasion = PollOnWake::new(occasion) => occasion,
        };
        match occasion {
            // HTTP/2 says by itself which requests are still answered.
            Occasion::Drain(Draining::Gently) if !activity.is_http2() => {
                activity.end_with_next();
                phase = Phase::Last(Instant::now() + LAST_REQUESTS_TIME);
            }
            Occasion::Drain(_) => {
                phase = Phase::Closing;
                connection.as_mut().graceful_shutdown();
            }
            Occasion::Check => match activity.verdict(phase == Phase::Closing) {
                Verdict::Fine => {}
                Verdict::Stuck => return debug!("a connection was cut: its client is too slow"),
                Verdict::Idle if phase == Phase::Closing => return receipts.prove(),
                Verdict::Idle => {
                    phase = Phase::Closing;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

/// How far a connection is on its way to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// It closes with the answer to its next request, or else at this time: its client may be
    /// sending already.
    Last(Instant),
    /// It closes as soon as it has no request.
    Closing,
}

/// Why a connection is looked at from outside.
enum Occasion {
    /// The server is about to end.
    Drain(Draining),
    /// It is time to see whether it is stuck.
    Check,
}

async fn occasion(draining: &mut watch::Receiver<Draining>, check: &mut Interval, phase: Phase) -> Occasion {
    let last = async {
        match phase {
            Phase::Last(end) => sleep_until(end).await,
            Phase::Open | Phase::Closing => std::future::pending().await,
        }
    };
    tokio::select! {
        draining = drained(draining), if phase == Phase::Open => Occasion::Drain(draining),
        () = last => Occasion::Drain(Draining::AtOnce),
        _ = check.tick() => Occasion::Check,
    }
}

fn answer(
    door: Arc<Door>,
    arrival: Arrival,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<WatchedBody>, HungUp>> {
    let is_http2 = request.version() == Version::HTTP_2;
    let exchange = activity.begin(is_http2);
    let request = request.map(|body| RequestBody::incoming(body, activity as Arc<dyn BodyWatch>));
    let admitted = door.admit(request, arrival);
    async move {
        let response = door.answer(admitted).await;
        if response.extensions().get::<HangUp>().is_some() {
            return Err(HungUp);
        }
        let is_last = exchange.is_last();
        let mut response = response.map(|body| WatchedBody { body, exchange });
        if is_last {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// A request is not answered, so that its client tries again.
#[derive(Debug, thiserror::Error)]
#[error("the request is not answered")]
struct HungUp;

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Headers are timed by the connection's activity: the transport's own timeout would end idle
    // connections as well.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(CONNECTION_BUFFER_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(CONNECTION_BUFFER_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        // Of all its streams together, so that a connection costs the same whatever its version.
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .max_send_buf_size(CONNECTION_BUFFER_BYTES as usize);
    builder
}
