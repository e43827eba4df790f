//! Kinds of ids, and ways in.

/// Where the id of an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// From the client: the protocol has it, or the request names its place.
    Declared,
    /// File and byte offset, where Sekali reads the source itself.
    Positional,
    /// From the bytes of the request and the index of the event in it.
    Request,
    /// From topic, source, time and payload.
    Content,
    /// From nothing: a repeat is stored again.
    None,
}

impl IdKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 5] = [Self::Declared, Self::Positional, Self::Request, Self::Content, Self::None];
}

/// A way in: a protocol whose clients are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Publish,
    Ingest,
    Elasticsearch,
    Otlp,
    Loki,
    Hec,
    CloudEvents,
    Webhooks,
    Segment,
}

impl Way {
    /// Every way in.
    pub(crate) const ALL: [Self; 9] = [
        Self::Publish,
        Self::Ingest,
        Self::Elasticsearch,
        Self::Otlp,
        Self::Loki,
        Self::Hec,
        Self::CloudEvents,
        Self::Webhooks,
        Self::Segment,
    ];

    /// Its name in documents and counters.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Ingest => "ingest",
            Self::Elasticsearch => "elasticsearch",
            Self::Otlp => "otlp",
            Self::Loki => "loki",
            Self::Hec => "hec",
            Self::CloudEvents => "cloudevents",
            Self::Webhooks => "webhooks",
            Self::Segment => "segment",
        }
    }
}
