"""Bodies of media types that schemathesis does not know: lines and statements are texts."""

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/sql", "application/x-protobuf")
def as_text(_context, value):
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")
