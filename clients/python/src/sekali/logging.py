"""A handler of :mod:`logging` that publishes records."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from datetime import datetime, timezone
from typing import Any

from ._errors import BufferFull, NotPublished, SekaliError
from ._publisher import Publisher

# Attributes of every record; others were given with `extra`.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Loggers of this package and of its HTTP client, whose records would cause further records.
OWN_LOGGERS = ("sekali", "httpx", "httpcore")


class SekaliHandler(logging.Handler):
    """Publishes each record as an event of ``topic``.

    The payload has ``level``, ``logger``, ``message``, ``file``, ``line``, ``thread``, the members
    of ``extra``, and ``exception`` if there is one. A program is never stopped by its log: a record
    that finds the buffer full is dropped and counted in ``dropped``. A publisher with a spool has
    room until the limit of the spool.
    """

    def __init__(
        self,
        publisher: Publisher,
        topic: str,
        *,
        source: str | None = None,
        level: int = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        self._publisher = publisher
        self._topic = topic
        self._source = socket.gethostname() if source is None else source
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Publishes a record; never raises."""
        if record.name.split(".")[0] in OWN_LOGGERS:
            return
        try:
            timestamp = datetime.fromtimestamp(record.created, timezone.utc)
            self._publisher.publish(
                self._topic, _payload(record), timestamp=timestamp, source=self._source, block=False
            )
        except (BufferFull, SekaliError):
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Sends what waits and closes the publisher."""
        super().close()
        try:
            self._publisher.close()
        except NotPublished as error:
            self.dropped += error.count


def _payload(record: logging.LogRecord) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
        "file": record.pathname,
        "line": record.lineno,
        "thread": record.threadName,
    }
    if record.exc_info and record.exc_info[0] is not None:
        payload["exception"] = "".join(traceback.format_exception(*record.exc_info))
    for name, value in vars(record).items():
        if name not in STANDARD:
            payload[name] = _json_value(value)
    return payload


def _json_value(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    return value
