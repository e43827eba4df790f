//! The body of a request, wherever it comes from.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Is told when the body of a request is no longer read.
///
/// As long as a body is read, the bytes that come belong to it and do not begin another request:
/// even when the answer has been sent, and the rest is only read so that the client can see the
/// answer.
pub trait BodyWatch: Send + Sync {
    /// The body was read to its end, or dropped.
    fn body_ended(&self);
}

/// The body of a request.
pub struct RequestBody {
    inner: Inner,
    watch: Option<Arc<dyn BodyWatch>>,
}

enum Inner {
    /// From a connection.
    Incoming(Incoming),
    /// From memory.
    Whole(Bytes),
}

impl RequestBody {
    /// The body of a request on a connection that `watch` looks after.
    pub fn incoming(body: Incoming, watch: Arc<dyn BodyWatch>) -> Self {
        Self { inner: Inner::Incoming(body), watch: Some(watch) }
    }
}

impl<T: Into<Bytes>> From<T> for RequestBody {
    fn from(bytes: T) -> Self {
        Self { inner: Inner::Whole(bytes.into()), watch: None }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.body_ended();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.inner {
            Inner::Incoming(body) => Pin::new(body).poll_frame(cx),
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Incoming(body) => body.is_end_stream(),
            Inner::Whole(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Incoming(body) => body.size_hint(),
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
