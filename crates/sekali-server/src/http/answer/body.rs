//! The body of an answer: nothing, bytes that are all there, or pieces as they are made.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::header::HeaderMap;
use tokio::sync::mpsc;

/// Why an answer breaks off.
pub(in crate::http) type BrokenOff = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub struct Body(Inner);

/// Makes the next piece of an answer, until there is none.
pub(in crate::http) type MakePiece = Box<dyn FnMut() -> Option<Result<Bytes, BrokenOff>> + Send>;

enum Inner {
    /// All of it; empty once it is taken.
    Whole(Bytes),
    /// All of it, and headers behind it.
    Trailed(Bytes, Option<HeaderMap>),
    /// Pieces, until the sender is dropped.
    Pieces(mpsc::Receiver<Result<Bytes, BrokenOff>>),
    /// Pieces, each of which is made when the transport has room for it.
    Made(MakePiece),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("exact_len", &self.exact_len()).finish_non_exhaustive()
    }
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self(Inner::Whole(Bytes::new()))
    }

    /// A body with headers behind it.
    pub(in crate::http) fn trailed(bytes: Bytes, trailers: HeaderMap) -> Self {
        Self(Inner::Trailed(bytes, Some(trailers)))
    }

    /// A body of the pieces that are sent to `pieces`.
    pub fn pieces(pieces: mpsc::Receiver<Result<Bytes, BrokenOff>>) -> Self {
        Self(Inner::Pieces(pieces))
    }

    /// A body of the pieces that `make` returns, each of which takes little time to make.
    pub(in crate::http) fn made(make: MakePiece) -> Self {
        Self(Inner::Made(make))
    }

    /// Its length, where that is known before it is sent.
    pub fn exact_len(&self) -> Option<u64> {
        match &self.0 {
            Inner::Whole(bytes) => Some(bytes.len() as u64),
            Inner::Trailed(..) | Inner::Pieces(_) | Inner::Made(_) => None,
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Inner::Whole(bytes.into()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Trailed(bytes, trailers) if bytes.is_empty() => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Inner::Trailed(bytes, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Made(make) => Poll::Ready(make().map(|piece| piece.map(Frame::data))),
            Inner::Pieces(pieces) => pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.exact_len() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.exact_len().map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
