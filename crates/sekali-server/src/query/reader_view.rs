//! The part of events that a reader looks at.

use sekali_store::{ColumnsWanted, Unread};

/// The columns of events that a reader looks at: by default all, event by event.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReaderView {
    /// The columns that it does not look at.
    pub(crate) unread: Unread,
    /// The columns that are enough for it, where they can be had without making events.
    pub(crate) columns: Option<ColumnsWanted>,
}
