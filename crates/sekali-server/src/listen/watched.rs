//! Connections and answers that report what happens to them.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::{Activity, Exchange};
use crate::http::Body;

/// A connection that reports the bytes of HTTP that pass, inside of TLS.
pub(super) struct WatchedStream<S> {
    pub(super) stream: S,
    pub(super) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        if matches!(outcome, Poll::Ready(Err(_))) {
            self.activity.broke();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        self.report(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs));
        self.report(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        // The client had closed before the answer came, and its system has reset the connection.
        if matches!(outcome, Poll::Ready(Err(_))) {
            self.activity.broke();
        }
        outcome
    }
}

impl<S> WatchedStream<S> {
    fn report(&self, outcome: Result<usize>) -> Poll<Result<usize>> {
        match outcome {
            Ok(bytes) => self.activity.sent(bytes),
            Err(_) => self.activity.broke(),
        }
        Poll::Ready(outcome)
    }
}

/// The body of an answer that reports whether server or client is to act. The transport asks for a
/// piece when it has room.
pub(super) struct WatchedBody {
    pub(super) body: Body,
    pub(super) exchange: Exchange,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, <Body as HttpBody>::Error>>> {
        self.exchange.working();
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.exchange.sending();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
