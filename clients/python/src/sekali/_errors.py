"""Errors of this package."""

from __future__ import annotations

from typing import Any


class SekaliError(Exception):
    """Any error of this package."""


class InvalidEvent(SekaliError, ValueError):
    """An event that the server would refuse. Nothing of it was buffered or sent."""


class BufferFull(SekaliError):
    """The buffer is full, and the event was not taken."""


class NotPublished(SekaliError):
    """A publisher was closed while events were neither stored by the server nor spooled."""

    def __init__(self, count: int, cause: str | None) -> None:
        self.count = count
        reason = f" ({cause})" if cause else ""
        super().__init__(
            f"{count} events were not published{reason}; give a spool directory to keep them"
        )


class Unavailable(SekaliError):
    """The server could not be reached, or asks to be tried again later.

    ``retry_after`` is the time in seconds that it asks for, if any. Repeating the request is safe.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Refused(SekaliError):
    """The server refuses the request for good.

    ``status`` is the HTTP status, ``code`` the code of the error, and ``errors`` has the details,
    as in the server's API documentation.
    """

    def __init__(self, status: int, code: str, message: str, errors: list[dict[str, Any]]) -> None:
        self.status = status
        self.code = code
        self.errors = errors
        details = "".join(f"\n  {_detail(error)}" for error in errors[:10])
        super().__init__(f"{status} {code}: {message}{details}")


def _detail(error: dict[str, Any]) -> str:
    place = error.get("parameter") or error.get("field") or ""
    if "index" in error:
        place = f"event {error['index']} {place}".rstrip()
    return f"{place}: {error.get('reason', '')}".lstrip(": ")
