"""The HTTP interface without I/O: requests to make, and answers understood.

Both the blocking and the asynchronous classes are built on it.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from ._errors import Refused, Unavailable
from ._event import Batch, Event, Published

DEFAULT_URL = "http://127.0.0.1:8080"
# Statuses after which the same request may succeed later. 502 and 504 come from proxies.
RETRIED_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
# Smaller bodies gain nothing from compression.
GZIP_BYTES_MIN = 1024
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 10.0

Params = Mapping[str, Any]


def options(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """Returns the arguments of an :class:`httpx.Client` or :class:`httpx.AsyncClient`."""
    headers = {"user-agent": "sekali-python"}
    if key is not None:
        headers["authorization"] = f"Bearer {key.strip()}"
    return {"base_url": url.rstrip("/") + "/", "headers": headers, "timeout": timeout}


def publish_request(
    lines: Iterable[bytes], *, skip_invalid: bool = False, compress: bool = True
) -> dict[str, Any]:
    """Returns the arguments of a POST to ``publish`` with these encoded events."""
    body = b"\n".join(lines)
    headers = {"content-type": "application/x-ndjson"}
    if compress and len(body) >= GZIP_BYTES_MIN:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["content-encoding"] = "gzip"
    request: dict[str, Any] = {"content": body, "headers": headers}
    if skip_invalid:
        request["params"] = {"invalid": "skip"}
    return request


def encode(events: Iterable[Event]) -> list[bytes]:
    """Encodes events; raises :class:`InvalidEvent`."""
    return [event.to_json() for event in events]


def published(answer: Mapping[str, Any]) -> Published:
    """Reads the counts of an answer to ``publish``."""
    return Published(
        received=int(answer["received"]),
        stored=int(answer["stored"]),
        duplicates=int(answer["duplicates"]),
        conflicts=int(answer["conflicts"]),
    )


def check(response: httpx.Response) -> None:
    """Raises :class:`Unavailable` or :class:`Refused` unless the answer is a success.

    The body must have been read.
    """
    if response.is_success:
        return
    code, message, errors = "", response.reason_phrase, []
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "code" in body:
        code = str(body["code"])
        message = str(body.get("message", message))
        errors = [error for error in body.get("errors", []) if isinstance(error, dict)]
    if response.status_code in RETRIED_STATUSES:
        raise Unavailable(f"{response.status_code} {code}: {message}", retry_after(response))
    raise Refused(response.status_code, code, message, errors)


def retry_after(response: httpx.Response) -> float | None:
    """Returns the seconds of ``Retry-After``, if it has such a number."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None


def unreachable(error: httpx.HTTPError) -> Unavailable:
    """Returns the error for a request without an answer."""
    return Unavailable(f"no answer from the server: {error or type(error).__name__}")


class Backoff:
    """Waits between attempts: doubled up to 10 s, jittered, at least what the server asks for."""

    def __init__(self) -> None:
        self._bound = FIRST_WAIT_SECONDS

    def wait(self, asked: float | None) -> float:
        """Returns the next wait in seconds. ``asked`` is the time of ``Retry-After``."""
        wait = (asked or 0.0) + random.uniform(0.0, self._bound)
        self._bound = min(self._bound * 2, LONGEST_WAIT_SECONDS)
        return wait

    def reset(self) -> None:
        """Begins anew after a success."""
        self._bound = FIRST_WAIT_SECONDS


@dataclass(slots=True)
class ServerSentEvents:
    """A parser of an event stream (WHATWG HTML, section 9.2), fed with lines."""

    last_id: str | None = None
    # The id of the unfinished message: a connection may break before its data has arrived.
    _id: str | None = None
    _name: str = ""
    _data: list[str] | None = None

    def feed(self, line: str) -> tuple[str, str] | None:
        """Takes a line without its end. Returns name and data of a message that it completes."""
        if not line:
            name, data = self._name or "message", self._data
            self._name, self._data = "", None
            self.last_id = self.last_id if self._id is None else self._id
            return None if data is None else (name, "\n".join(data))
        if line.startswith(":"):
            return None
        member, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if member == "data":
            self._data = [*(self._data or []), value]
        elif member == "event":
            self._name = value
        elif member == "id":
            self._id = value
        return None


def consumer_path(name: str, more: str = "") -> str:
    """Returns the path of a consumer, or of a part of it."""
    return f"consumers/{quote(name, safe='')}{more}"


def consumer_body(topic: str | list[str] | None, filters: Params | None, start: str) -> Params:
    """Returns the body that makes a consumer."""
    texts: dict[str, list[str]] = {}
    for name, value in query(topic, filters, {}):
        texts.setdefault(name, []).append(str(value))
    return {"filters": texts, "from": start}


def consumer_batch(response: httpx.Response) -> Batch:
    """Reads the events of a consumer and the cursor behind them."""
    return Batch(response.json(), response.headers.get("x-ack-cursor", ""))


def sql_request(statement: str, parameters: Iterable[Any], within: str | None) -> dict[str, Any]:
    """Returns the arguments of a POST to ``sql``."""
    body = {"sql": statement, "parameters": list(parameters)}
    return {"json": body, "params": query(None, None, {"format": "json", "within": within})}


def event_path(topic: str, event_id: str) -> str:
    """Returns the path of an event."""
    return f"events/{quote(topic, safe='')}/{quote(event_id, safe='')}"


QueryParams = list[tuple[str, "str | int | float | bool | None"]]


def query(topic: str | list[str] | None, filters: Params | None, more: Params) -> QueryParams:
    """Returns query parameters. Lists are repeated parameters; ``None`` is left out."""
    params: QueryParams = []
    for name, value in {"topic": topic, **(filters or {}), **more}.items():
        for one in value if isinstance(value, (list, tuple, set, frozenset)) else [value]:
            if one is not None:
                params.append((name, _text(one)))
    return params


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
