//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{MissedTickBehavior, interval};
use tower::ServiceExt as _;
use tracing::debug;

use super::activity::{Activity, Verdict};
use super::io::{WatchedBody, WatchedStream};
use crate::limits::{
    CLOSE_TIMEOUT, CONNECTION_BUFFER_BYTES, CONNECTION_CHECK_INTERVAL, HEADERS_BYTES_MAX, IDLE_TIMEOUT,
    STREAMS_PER_CONNECTION_MAX,
};

/// Serves a connection (HTTP/1.1, or HTTP/2 by prior knowledge) until it closes, idles for too long, gets stuck, or
/// the server drains and its requests are answered. Holds `_permit` as long.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    mut draining: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are small and waited for.
    let _ = stream.set_nodelay(true);
    let activity = Activity::new();
    let io = TokioIo::new(WatchedStream { stream, activity: Arc::clone(&activity) });
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request| answer(router.clone(), Arc::clone(&watched), request));
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut check = interval(CONNECTION_CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut closing = false;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    debug!(error, "a connection broke off");
                }
                return;
            }
            _ = draining.wait_for(|drain| *drain), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = check.tick() => match activity.verdict(if closing { CLOSE_TIMEOUT } else { IDLE_TIMEOUT }) {
                Verdict::Fine => {}
                Verdict::Stuck => return debug!("a connection was cut: its client is too slow"),
                Verdict::Idle if closing => return,
                Verdict::Idle => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

async fn answer(
    router: Router,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<WatchedBody>, Infallible> {
    let exchange = activity.begin(request.version() == Version::HTTP_2);
    let response = router.oneshot(request.map(Body::new)).await?;
    Ok(response.map(|body| WatchedBody { body, exchange }))
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Headers are timed by the connection's activity: the transport's own timeout would end idle connections as well.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(CONNECTION_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADERS_BYTES_MAX)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .adaptive_window(true);
    builder
}
