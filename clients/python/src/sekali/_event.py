"""Events, and their encoding as JSON lines."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ._errors import InvalidEvent

# Limits of the server, in bytes of UTF-8.
TOPIC_BYTES_MAX = 255
EVENT_ID_BYTES_MAX = 512
SOURCE_BYTES_MAX = 255
PAYLOAD_BYTES_MAX = 1024 * 1024


def new_event_id() -> str:
    """Returns a new id: a UUID of version 7, so that ids of one sender sort by time."""
    milliseconds = time.time_ns() // 1_000_000
    value = int.from_bytes(os.urandom(10), "big")
    value |= (milliseconds & ((1 << 48) - 1)) << 80
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0b11 << 62) | (0b10 << 62)
    return str(uuid.UUID(int=value))


@dataclass(frozen=True, slots=True)
class Event:
    """An event.

    The server keeps one copy of each ``(topic, event_id)``. Where the event has an id of its own,
    such as an order number, give it: a repeat is then recognised even after a restart of the
    sender. Otherwise each event gets a new id, which stays the same over all retries.
    """

    topic: str
    payload: Mapping[str, Any]
    event_id: str = field(default_factory=new_event_id)
    timestamp: datetime | str = field(default_factory=lambda: datetime.now(timezone.utc))
    source: str = ""

    def to_json(self) -> bytes:
        """Encodes the event as a line of JSON without its line break.

        Raises :class:`InvalidEvent` if the server would refuse it for a member that can be checked
        here.
        """
        _check("topic", self.topic, TOPIC_BYTES_MAX, may_be_empty=False)
        if self.topic.startswith("$"):
            raise InvalidEvent(f"topic {self.topic!r} is reserved: it begins with $")
        _check("event_id", self.event_id, EVENT_ID_BYTES_MAX, may_be_empty=False)
        _check("source", self.source, SOURCE_BYTES_MAX, may_be_empty=True)
        if not isinstance(self.payload, Mapping):
            raise InvalidEvent(f"payload must be a mapping, not {type(self.payload).__name__}")
        payload = _dumps(dict(self.payload))
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise InvalidEvent(f"payload has {len(payload)} bytes of JSON, more than 1 MiB")
        members = {
            "topic": self.topic,
            "event_id": self.event_id,
            "timestamp": _timestamp(self.timestamp),
            "source": self.source,
        }
        return _dumps(members)[:-1] + b',"payload":' + payload + b"}"


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a batch: ``received = stored + duplicates``, conflicts included."""

    received: int
    stored: int
    duplicates: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that the server refused, as it was sent, and the reason."""

    event: dict[str, Any]
    reason: str


def _check(name: str, value: str, bytes_max: int, *, may_be_empty: bool) -> None:
    if not isinstance(value, str):
        raise InvalidEvent(f"{name} must be a string, not {type(value).__name__}")
    if not value and not may_be_empty:
        raise InvalidEvent(f"{name} is empty")
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > bytes_max:
        raise InvalidEvent(f"{name} has {size} bytes, more than {bytes_max}")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        raise InvalidEvent(f"{name} contains a control character")


def _timestamp(value: datetime | str) -> str:
    if isinstance(value, str):
        return value
    # A time without a zone is local time, as everywhere in Python's standard library.
    return value.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _dumps(value: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        try:
            return text.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which JSON can only escape
            return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(f"payload is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of a consumer, in order, and the cursor behind them."""

    events: list[dict[str, Any]]
    cursor: str
