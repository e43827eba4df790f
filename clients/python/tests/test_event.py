from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sekali import Event, InvalidEvent
from sekali._event import new_event_id
from sekali._protocol import ServerSentEvents


def test_new_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    ids = [new_event_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {uuid.UUID(one).version for one in ids} == {7}
    milliseconds = [uuid.UUID(one).int >> 80 for one in ids]
    assert milliseconds == sorted(milliseconds)


def test_an_event_is_a_line_of_json_in_utc() -> None:
    time = datetime(2026, 10, 24, 23, 0, tzinfo=timezone(timedelta(hours=2)))
    event = Event("orders", {"total": 9.5, "name": "Żółw\n"}, "1", time, "shop")
    line = event.to_json()
    assert b"\n" not in line
    assert json.loads(line) == {
        "topic": "orders",
        "event_id": "1",
        "timestamp": "2026-10-24T21:00:00.000000Z",
        "source": "shop",
        "payload": {"total": 9.5, "name": "Żółw\n"},
    }


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert rb"\ud800" in Event("t", {"text": "\ud800"}).to_json()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"topic": ""}, "topic is empty"),
        ({"topic": "$conflicts"}, "reserved"),
        ({"topic": "é" * 128}, "topic has 256 bytes"),
        ({"topic": 5}, "topic must be a string, not int"),
        ({"event_id": "a\x00b"}, "event_id contains a control character"),
        ({"source": "\x85"}, "source contains a control character"),
        ({"payload": [1]}, "payload must be a mapping, not list"),
        ({"payload": {"x": float("nan")}}, "payload is not JSON"),
        ({"payload": {"x": object()}}, "payload is not JSON"),
        ({"payload": {"x": "a" * 1024 * 1024}}, "more than 1 MiB"),
    ],
)
def test_what_the_server_would_refuse_is_refused_at_once(
    members: dict[str, Any], message: str
) -> None:
    event = Event(**{"topic": "t", "payload": {}, **members})
    with pytest.raises(InvalidEvent, match=message.replace("$", r"\$")):
        event.to_json()


def test_messages_of_an_event_stream_are_parsed() -> None:
    parser = ServerSentEvents()
    lines = [": hello", "id: 7", "data: a", "data:b", "", "event: behind", "data:", "", "id: 8", ""]
    lines += ["id: 9", "data: unfinished"]
    assert [found for line in lines if (found := parser.feed(line))] == [
        ("message", "a\nb"),
        ("behind", ""),
    ]
    assert parser.last_id == "8"
