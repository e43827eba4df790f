//! The closed set of error codes, in one table.

/// An error, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not JSON.
    InvalidJson,
    /// A query parameter or part of the path is unknown, repeated or has no valid value.
    InvalidParameter,
    /// The cursor is damaged, or belongs to another store, order or topic.
    InvalidCursor,
    /// The body does not decompress by its `Content-Encoding`.
    InvalidEncoding,
    /// A request of HTTP/1.1 has no `Host` header, or several.
    InvalidHost,
    /// The statement of SQL is not understood.
    InvalidSql,
    /// The statement of SQL does not only read, or uses what statements may not use.
    SqlNotAllowed,
    /// The request has no valid key, and the route requires one.
    Unauthenticated,
    /// The key of the request does not allow this.
    Forbidden,
    /// There is no such route or event.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// A consumer was acknowledged further already.
    AckBehind,
    /// The body came too slowly.
    RequestTimeout,
    /// The body, compressed or not, the number of events, or an event is too large.
    TooLarge,
    /// The request line and headers are too large.
    HeadersTooLarge,
    /// The server does not support this `Content-Type` or `Content-Encoding`.
    UnsupportedMediaType,
    /// The `Host` header is not a name of this server.
    WrongHost,
    /// The body is JSON, but something in it is not a valid event.
    InvalidEvent,
    /// The statement of SQL found nothing in its time.
    SqlTimeout,
    /// The statement of SQL needs too much memory, or its answer is too large.
    SqlTooLarge,
    /// The store would have too many topics.
    TooManyTopics,
    /// There would be too many consumers.
    TooManyConsumers,
    /// An internal fault of the server.
    Internal,
    /// Stored events that the request needs cannot be read now.
    Unreadable,
    /// Too much is in progress.
    Overloaded,
    /// The disk is full.
    StorageFull,
    /// Some partitions have stored their events of the request, others had no space.
    PartlyStored,
    /// A write to the disk failed, and the server exits.
    StorageFailed,
    /// The server is shutting down.
    ShuttingDown,
}

/// The part of a refused request that may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Nothing.
    Nothing,
    /// Unknown. Sending the request again is safe and settles it.
    Unknown,
}

/// Whether the same request can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It cannot.
    Never,
    /// It can, at any time.
    Allowed,
    /// It can, after this many seconds: the response's `Retry-After`.
    After(u32),
}

/// The properties of a code, for responses and documentation.
#[derive(Debug, Clone, Copy)]
struct Row {
    code: Code,
    name: &'static str,
    status: u16,
    retry: Retry,
    stored: Stored,
}

const fn row(code: Code, name: &'static str, status: u16, retry: Retry, stored: Stored) -> Row {
    Row { code, name, status, retry, stored }
}

/// One row for each code, in the order of [`Code`].
#[rustfmt::skip]
const TABLE: [Row; Code::ALL.len()] = [
    row(Code::InvalidJson, "invalid_json", 400, Retry::Never, Stored::Nothing),
    row(Code::InvalidParameter, "invalid_parameter", 400, Retry::Never, Stored::Nothing),
    row(Code::InvalidCursor, "invalid_cursor", 400, Retry::Never, Stored::Nothing),
    row(Code::InvalidEncoding, "invalid_encoding", 400, Retry::Never, Stored::Nothing),
    row(Code::InvalidHost, "invalid_host", 400, Retry::Never, Stored::Nothing),
    row(Code::InvalidSql, "invalid_sql", 400, Retry::Never, Stored::Nothing),
    row(Code::SqlNotAllowed, "sql_not_allowed", 400, Retry::Never, Stored::Nothing),
    row(Code::Unauthenticated, "unauthenticated", 401, Retry::Never, Stored::Nothing),
    row(Code::Forbidden, "forbidden", 403, Retry::Never, Stored::Nothing),
    row(Code::NotFound, "not_found", 404, Retry::Never, Stored::Nothing),
    row(Code::MethodNotAllowed, "method_not_allowed", 405, Retry::Never, Stored::Nothing),
    row(Code::AckBehind, "ack_behind", 409, Retry::Never, Stored::Nothing),
    row(Code::RequestTimeout, "request_timeout", 408, Retry::Allowed, Stored::Nothing),
    row(Code::TooLarge, "too_large", 413, Retry::Never, Stored::Nothing),
    row(Code::HeadersTooLarge, "headers_too_large", 431, Retry::Never, Stored::Nothing),
    row(Code::UnsupportedMediaType, "unsupported_media_type", 415, Retry::Never, Stored::Nothing),
    row(Code::WrongHost, "wrong_host", 421, Retry::Never, Stored::Nothing),
    row(Code::InvalidEvent, "invalid_event", 422, Retry::Never, Stored::Nothing),
    row(Code::SqlTimeout, "sql_timeout", 422, Retry::Never, Stored::Nothing),
    row(Code::SqlTooLarge, "sql_too_large", 422, Retry::Never, Stored::Nothing),
    row(Code::TooManyTopics, "too_many_topics", 422, Retry::Never, Stored::Nothing),
    row(Code::TooManyConsumers, "too_many_consumers", 422, Retry::Never, Stored::Nothing),
    row(Code::Internal, "internal", 500, Retry::Never, Stored::Nothing),
    row(Code::Unreadable, "unreadable", 503, Retry::After(5), Stored::Nothing),
    row(Code::Overloaded, "overloaded", 503, Retry::After(1), Stored::Nothing),
    row(Code::StorageFull, "storage_full", 503, Retry::After(5), Stored::Nothing),
    row(Code::PartlyStored, "partly_stored", 503, Retry::After(5), Stored::Unknown),
    row(Code::StorageFailed, "storage_failed", 503, Retry::After(5), Stored::Unknown),
    row(Code::ShuttingDown, "shutting_down", 503, Retry::After(1), Stored::Nothing),
];

const _: () = {
    let mut at = 0;
    while at < TABLE.len() {
        assert!(
            TABLE[at].code as usize == at && Code::ALL[at] as usize == at,
            "the table is in the order of the codes"
        );
        at += 1;
    }
};

impl Code {
    /// Every code.
    #[rustfmt::skip]
    pub const ALL: [Self; 29] = [
        Self::InvalidJson, Self::InvalidParameter, Self::InvalidCursor, Self::InvalidEncoding, Self::InvalidHost,
        Self::InvalidSql, Self::SqlNotAllowed, Self::Unauthenticated, Self::Forbidden, Self::NotFound,
        Self::MethodNotAllowed, Self::AckBehind, Self::RequestTimeout,
        Self::TooLarge, Self::HeadersTooLarge, Self::UnsupportedMediaType, Self::WrongHost,
        Self::InvalidEvent, Self::SqlTimeout, Self::SqlTooLarge, Self::TooManyTopics, Self::TooManyConsumers,
        Self::Internal,
        Self::Unreadable, Self::Overloaded, Self::StorageFull, Self::PartlyStored, Self::StorageFailed,
        Self::ShuttingDown,
    ];

    /// The code as text.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The code of this text.
    pub fn from_text(text: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == text).map(|row| row.code)
    }

    /// The HTTP status of its responses.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// Whether the same request can succeed later.
    pub fn is_retryable(self) -> bool {
        self.row().retry != Retry::Never
    }

    /// The seconds of the response's `Retry-After`, if it has one.
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self.row().retry {
            Retry::After(seconds) => Some(seconds),
            Retry::Never | Retry::Allowed => None,
        }
    }

    /// The part of the refused request that may be stored.
    pub fn stored_anything(self) -> Stored {
        self.row().stored
    }

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_from_its_text() {
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(code));
            assert_eq!(code.status() == 503, code.retry_after_seconds().is_some(), "{code:?}");
        }
        assert_eq!(Code::from_text("no_such_code"), None);
    }
}
