//! The interface between a protocol and the rest of the server.

use std::time::Duration;

use super::{Asked, Port, Refusal, Reply};
use crate::identity::Way;
use crate::ingest::Drafts;
use crate::service::ItemResult;

/// A request of a protocol, after its body was read.
pub(crate) trait Adapter: Sized + Send + 'static {
    /// The name of the protocol in counters.
    const WAY: Way;
    /// The port of its own that it is served on when that is asked for.
    const PORT: Option<Port> = None;
    /// How long a request is held when there is no room, before it is refused.
    const PATIENCE: Duration = Duration::ZERO;
    /// Whether overload is then told item by item, because clients give up on more than that.
    const TELLS_OVERLOAD_BY_ITEM: bool = false;
    /// An encoding of bodies that the protocol has beside those of HTTP, and reads itself.
    const OWN_ENCODING: Option<&'static str> = None;

    /// Reads a body, already decompressed, into `drafts`.
    ///
    /// # Errors
    /// The request as a whole is refused, and nothing of it is stored.
    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal>;

    /// Whether events get an id by what they say, because the client asked for that.
    fn by_content(&self) -> bool {
        false
    }

    /// Most bytes that the answer will have, if it grows with the number of events.
    fn answer_bytes(&self) -> usize {
        0
    }

    /// Words the outcomes, one for each item in `drafts`.
    fn answer(self, asked: &Asked, results: &[ItemResult]) -> Reply;

    /// Words an error. The request is not known if it was not admitted.
    fn refuse(refusal: &Refusal, asked: Option<&Asked>) -> Reply;
}
