"""Delivery of one batch: which requests to make, and when an event is refused for good."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import httpx

from ._errors import Refused, Unavailable
from ._event import RefusedEvent
from ._protocol import check, publish_request, retry_after

# Statuses that may be due to single events of a batch.
EVENT_STATUSES = frozenset({400, 403, 413, 422})


@dataclass(slots=True)
class Delivered:
    """What became of the events of a batch."""

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: int = 0
    # At most those that the server named.
    refused_events: list[RefusedEvent] = field(default_factory=list)


def delivery(lines: list[bytes]) -> Generator[dict[str, Any], httpx.Response, Delivered]:
    """Yields the arguments of each POST to ``publish``, takes its response, returns the outcome.

    Invalid events are left out by the server and named by it. If it refuses a whole request for
    one of its events, the batch is halved until that event is alone. Raises :class:`Unavailable`
    if the batch is to be sent again, all of it: stored events are duplicates then.
    """
    delivered = Delivered()
    parts = [lines]
    while parts:
        part = parts.pop()
        response = yield publish_request(part, skip_invalid=True)
        try:
            check(response)
        except Refused as refused:
            if refused.status not in EVENT_STATUSES:
                # A wrong key or address is mended by people; the events are kept until then.
                raise Unavailable(str(refused), retry_after(response)) from refused
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                delivered.refused += 1
                delivered.refused_events.append(RefusedEvent(json.loads(part[0]), str(refused)))
            continue
        _count(response.json(), part, delivered)
    return delivered


def _count(answer: dict[str, Any], lines: list[bytes], delivered: Delivered) -> None:
    delivered.stored += answer["stored"]
    delivered.duplicates += answer["duplicates"]
    delivered.conflicts += answer["conflicts"]
    delivered.refused += answer.get("invalid", 0)
    reasons: dict[int, list[str]] = {}
    for error in answer.get("errors", []):
        reason = f"{error.get('field', '')} {error.get('reason', '')}".strip()
        reasons.setdefault(error["index"], []).append(reason)
    for index, found in reasons.items():
        event = json.loads(lines[index])
        delivered.refused_events.append(RefusedEvent(event, "; ".join(found)))
