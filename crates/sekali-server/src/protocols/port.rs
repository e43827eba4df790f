//! Ports of their own, under which other people's clients expect a protocol.

/// A protocol that is served on a port of its own, where that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// Elasticsearch and OpenSearch.
    Elasticsearch,
    /// OpenTelemetry's protocol over HTTP.
    Otlp,
    /// The same over gRPC.
    OtlpGrpc,
    /// Loki's push.
    Loki,
    /// Splunk's HTTP Event Collector.
    Hec,
}

impl Port {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Elasticsearch, Self::Otlp, Self::OtlpGrpc, Self::Loki, Self::Hec];

    /// Its name: of options, of sockets and in `/stats`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elasticsearch => "elasticsearch",
            Self::Otlp => "otlp",
            Self::OtlpGrpc => "otlp-grpc",
            Self::Loki => "loki",
            Self::Hec => "hec",
        }
    }

    /// The number that clients take unless they are told another.
    pub const fn usual(self) -> u16 {
        match self {
            Self::Elasticsearch => 9200,
            Self::Otlp => 4318,
            Self::OtlpGrpc => 4317,
            Self::Loki => 3100,
            Self::Hec => 8088,
        }
    }

    /// The path that is named for it, in addresses that are pasted into clients.
    pub const fn root(self) -> &'static str {
        match self {
            Self::Elasticsearch => "/",
            Self::Otlp => "/v1/logs",
            Self::OtlpGrpc => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Self::Loki => "/loki/api/v1/push",
            Self::Hec => "/services/collector",
        }
    }
}
