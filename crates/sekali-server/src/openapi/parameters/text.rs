//! Meanings of parameters and headers, in a line each.

/// Headers that say where the parts of events are, on routes that take any JSON.
pub(super) const SETTINGS: [(&str, &str); 4] = [
    ("X-Sekali-Topic", "The topic; {/pointer} in it is a value of the record."),
    ("X-Sekali-Id", "JSON pointers to the id, the first with a value counts; or `content`."),
    ("X-Sekali-Timestamp", "JSON pointers to the time."),
    ("X-Sekali-Source", "JSON pointers to the source."),
];

/// Name, meaning and type of headers of answers.
pub(super) const ANSWER_HEADERS: [(&str, &str, &str); 11] = [
    ("X-Request-Id", "The id of the request: the client's own, or one that the server made.", "string"),
    ("X-Next-Cursor", "There may be more: the cursor of the next page, as `after`.", "string"),
    ("Link", "The address of the next page, rel=\"next\".", "string"),
    ("X-Resume-Cursor", "On the last page in ascending order: as `after`, what is stored since then.", "string"),
    ("X-Ack-Cursor", "The cursor behind these events, to acknowledge them with.", "string"),
    ("X-Read-Events", "How many events were read.", "integer"),
    ("X-Read-Seconds", "How long it took.", "number"),
    ("Content-Disposition", "With download: the name to save it under.", "string"),
    ("Retry-After", "Seconds after which the same request can succeed.", "integer"),
    ("WWW-Authenticate", "How a key is shown.", "string"),
    ("ETag", "The name of this content.", "string"),
];

/// The meaning of a `{name}` in a path.
pub(super) fn path_meaning(name: &str) -> &'static str {
    match name {
        "topic" => "The topic, percent-encoded.",
        "event_id" => "The id of the event, percent-encoded.",
        "index" => "The index: without its date it is the topic.",
        "id" => "The id of the document.",
        "version" => "A hash of all files of the pages.",
        _ => "The name.",
    }
}

/// The meaning of a query parameter, or header, of a route.
pub(super) fn meaning(path: &str, name: &str) -> &'static str {
    match (path, name) {
        ("/publish", "invalid") => "Whether one invalid event makes the request fail, or is left out.",
        ("/ingest", "invalid") => "Whether a record that is no event is kept in quarantine, or makes the request fail.",
        ("/ingest", "topic") => "The topic, `ingest` unless given; {/pointer} in it is a value of the record.",
        ("/ingest", "id") => "JSON pointers to the id, the first with a value counts; or `content`.",
        ("/ingest", "timestamp") => "JSON pointers to the time.",
        ("/ingest", "source") => "JSON pointers to the source.",
        ("/ingest", "records") => "A JSON pointer to the array that has the records.",
        ("/events", "limit") => "Most events: up to 10,000 in a page, any number in a stream, which has no default.",
        ("/events/stream", "from") => "`now`, `beginning`, or a cursor: all events behind it come first.",
        ("/events/stream", "after") => "The same as `from` with a cursor.",
        ("/topics", "after") => "Only topics behind this name.",
        ("/events/stats", "field") => "The number: `payload.PATH`, `delay` or `size`.",
        ("/events/{topic}/{event_id}/context", "before") => "How many events before it.",
        ("/events/{topic}/{event_id}/context", "after") => "How many events after it.",
        ("/conflicts/count", "by") => "Up to three fields of the event that was sent, or `path`: where the two differ.",
        ("/duplicates", "top") => "How many senders to list.",
        ("/sql", "within") => "The longest time to take.",
        (_, "verbose") => "Report the outcome of each event.",
        (_, "dry_run") => "Only say what would become of each event.",
        (_, "order") => "The order of storing, or its reverse.",
        (_, "limit") => "Most elements of the page.",
        (_, "after") => "A cursor: continue behind it.",
        (_, "columns") => "Up to 32 fields with commas between them: only these of each event.",
        (_, "format") => "The format, whatever Accept says.",
        (_, "download") => "A name: browsers save the answer under it.",
        (_, "wait") => "How long to wait if there are no events.",
        (_, "by") => "Up to three fields with commas between them: a group for each combination of their values.",
        (_, "top") => "How many groups to list.",
        (_, "interval") => "Count over time, by intervals of this length, up to 366d.",
        (_, "auto") => "The same, by at most so many intervals.",
        (_, "within") => "Stop reading after this time, and answer with what is known.",
        (_, "sample") => "How many of the newest matching events to look at, or all.",
        (_, "values") => "How many values of each field; up to 100, and up to 1,000 of one field.",
        (_, "field") => "Only this field.",
        (_, "below") => "Only fields under this path of the payload.",
        (_, "compare") => "Filters, percent-encoded as a whole: each value also has its share among those events.",
        (_, "percentiles") => "Up to 16 numbers from 0 to 100 with commas between them.",
        (_, "same") => "Up to 8 fields with commas between them: only events with the same values in these.",
        (_, "Last-Event-ID") => "The last id that the client has seen. It counts more than `from`.",
        _ => "",
    }
}

/// The meaning of a filter.
pub(super) fn filter_meaning(name: &str) -> &'static str {
    match name {
        "topic" => "Only events of this topic. A `*` stands for any characters. Several are alternatives.",
        "not.topic" => "Only events of other topics.",
        "since" => "Only events whose timestamp is at or after this: a time, or how long ago: 15m, 1h, 7d; today.",
        "until" => "Only events whose timestamp is before this.",
        "source" => "Only events of exactly this source. Several are alternatives.",
        "not.source" => "Only events of other sources.",
        "match.source" => "Only events of whose source this regular expression matches a part.",
        "event_id" => "Only events of exactly this id.",
        "not.event_id" => "Only events of other ids.",
        "match.event_id" => "Only events of whose id this regular expression matches a part.",
        "has" => "Only events that have something at this path of the payload.",
        "not.has" => "Only events that have nothing at this path of the payload.",
        "q" => "Only events with this text anywhere in the payload.",
        "not.q" => "Only events without this text.",
        _ => {
            "Only events with this value at this path of the payload: payload.status=500. In front: `not.` another \
             value, `min.` and `below.` a range of numbers, `match.` a regular expression."
        }
    }
}
