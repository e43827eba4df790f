"""The same events in the protocols of other people's clients, taken by both servers, byte by byte the same."""

import json
import struct

import cramjam

import events
from load import send
from servers import Sekali, VictoriaLogs


class Protocol:
    """How it is named, where each server takes it, and how a batch of events becomes a body."""

    def __init__(self, name, paths, headers, body):
        self.name, self.paths, self.headers, self.body = name, paths, headers, body


def ndjson(batch):
    return "".join(events.lines(batch)).encode()


def bulk(batch):
    return "".join(
        f'{{"create":{{"_index":"{topic}","_id":"{event_id}"}}}}\n'
        f'{{"@timestamp":"{events.rfc3339(time)}","host":"{source}",{payload[1:]}\n'
        for topic, event_id, time, source, payload in batch).encode()


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, content):
    """A field with bytes, text or another message in Protocol Buffers."""
    content = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def by_stream(batch):
    streams = {}
    for event in batch:
        streams.setdefault((event[0], event[3]), []).append(event)
    return streams.items()


def loki(batch):
    """A push request: streams of topic and source, a line and its time for each event, in Snappy."""
    def entry(time, line):
        seconds, nanos = divmod(time, 1_000_000_000)
        return field(2, field(1, b"\x08" + varint(seconds) + b"\x10" + varint(nanos)) + field(2, line))

    return bytes(cramjam.snappy.compress_raw(b"".join(
        field(1, field(1, f'{{job="{topic}", host="{source}"}}') + b"".join(entry(one[2], one[4]) for one in stream))
        for (topic, source), stream in by_stream(batch))))


def otlp(batch):
    """Logs of a service on a host: the message is the body, the other members are attributes."""
    def attribute(number, name, value):
        value = b"\x18" + varint(value) if isinstance(value, int) else field(1, value)
        return field(number, field(1, name) + field(2, value))

    def record(event):
        payload = json.loads(event[4])
        return field(2, b"\x09" + struct.pack("<Q", event[2]) + field(5, field(1, payload["msg"]))
                     + b"".join(attribute(6, name, payload[name]) for name in ("status", "ms", "path"))
                     + attribute(6, "log.record.uid", event[1]))

    return b"".join(
        field(1, field(1, attribute(1, "service.name", topic) + attribute(1, "host.name", source))
              + field(2, b"".join(map(record, stream))))
        for (topic, source), stream in by_stream(batch))


PROTOCOLS = [
    Protocol("JSON lines", {
        "Sekali": "/ingest?topic={%2Ftopic}&id=/event_id&timestamp=/timestamp&source=/source",
        "VictoriaLogs": "/insert/jsonline?_stream_fields=topic,source&_time_field=timestamp&_msg_field=payload.msg",
    }, {"Content-Type": "application/x-ndjson"}, ndjson),
    Protocol("Elasticsearch bulk", {
        "Sekali": "/_bulk",
        "VictoriaLogs": "/insert/elasticsearch/_bulk?_stream_fields=host&_time_field=@timestamp&_msg_field=msg",
    }, {"Content-Type": "application/x-ndjson"}, bulk),
    Protocol("Loki push, Protocol Buffers", {
        "Sekali": "/loki/api/v1/push",
        "VictoriaLogs": "/insert/loki/api/v1/push?disable_message_parsing=1",
    }, {"Content-Type": "application/x-protobuf"}, loki),
    Protocol("OTLP over HTTP, Protocol Buffers", {
        "Sekali": "/v1/logs",
        "VictoriaLogs": "/insert/opentelemetry/v1/logs",
    }, {"Content-Type": "application/x-protobuf"}, otlp),
]


def measure(count, rounds, sekali, victoria, scratch, say):
    """Each protocol in turns, each time into an empty server."""
    result = {}
    for protocol in PROTOCOLS:
        batches = events.batches(events.make(count))
        bodies = events.Bodies(scratch / "requests").write(map(protocol.body, batches))
        runs = {"Sekali": [], "VictoriaLogs": []}
        for _ in range(rounds):
            for kind, program in ((Sekali, sekali), (VictoriaLogs, victoria)):
                server = kind(program, scratch / kind.name.lower())
                before = server.cpu()
                took, latencies, sender = send(server.port, protocol.paths[kind.name], protocol.headers, bodies)
                cpu, memory, held = server.cpu() - before, server.memory(), server.held()
                server.stop()
                if held != count:
                    raise RuntimeError(f"{kind.name}, {protocol.name}: holds {held} events of {count}")
                latencies.sort()
                runs[kind.name].append({
                    "events_per_second": count / took, "cpu_us": cpu / count * 1e6, "sender_us": sender / count * 1e6,
                    "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3, "memory": memory})
                say(f"{protocol.name:<34}{kind.name:<14}{count / took:>12,.0f}/s, {cpu / count * 1e6:.2f} µs of CPU an event")
        result[protocol.name] = {"runs": runs, "bytes_an_event": bodies.bytes() / count}
    return result
