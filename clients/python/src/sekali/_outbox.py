"""Events that wait to be sent: in memory, and in the spool while the server is away."""

from __future__ import annotations

import itertools
import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._delivery import Delivered
from ._event import RefusedEvent
from ._spool import Spool

LOG = logging.getLogger("sekali")


@dataclass(frozen=True, slots=True)
class PublisherStats:
    """Counts of a publisher since it was made.

    ``waiting`` events are in memory, ``spooled`` ones on disk. Refused events were named to
    ``on_refused`` and in the log.
    """

    stored: int
    duplicates: int
    conflicts: int
    refused: int
    waiting: int
    spooled: int


@dataclass(slots=True)
class Batch:
    """A batch that is being sent, and its file if it is spooled."""

    lines: list[bytes]
    file: Path | None


class Outbox:
    """The buffer of a publisher. Its owner serialises the calls."""

    def __init__(
        self,
        *,
        spool: str | os.PathLike[str] | None,
        spool_bytes: int,
        buffer_bytes: int,
        batch_events: int,
        batch_bytes: int,
        on_refused: Callable[[RefusedEvent], None] | None,
    ) -> None:
        self._spool = None if spool is None else Spool(spool, spool_bytes)
        self._buffer_bytes = buffer_bytes
        self._batch_events = batch_events
        self._batch_bytes = batch_bytes
        self._on_refused = on_refused
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._sending: Batch | None = None
        self._totals = Delivered()

    def has_room(self, line: bytes) -> bool:
        """Whether the buffer has room for an event. An empty buffer takes any."""
        return not self._lines or self._bytes + len(line) <= self._buffer_bytes

    def add(self, line: bytes) -> None:
        """Adds an event."""
        self._lines.append(line)
        self._bytes += len(line)

    @property
    def is_empty(self) -> bool:
        """Whether no event waits anywhere."""
        return not self._lines and self._sending is None and not self._spool

    @property
    def has_batch(self) -> bool:
        """Whether there is enough for a request, so that no more need be waited for."""
        is_full = len(self._lines) >= self._batch_events or self._bytes >= self._batch_bytes
        return is_full or self._sending is not None or bool(self._spool)

    def begin(self) -> Batch | None:
        """Returns the batch to send next: the one that failed, or the oldest."""
        if self._sending is None:
            spooled = self._spool.first() if self._spool else None
            if spooled is not None:
                self._sending = Batch(spooled[1], spooled[0])
            elif self._lines:
                self._sending = Batch(self._take(), None)
        return self._sending

    def end(self, delivered: Delivered) -> None:
        """Counts the batch that was sent, and forgets it."""
        if self._sending is None:
            return
        if self._sending.file is not None and self._spool is not None:
            self._spool.remove(self._sending.file)
        self._sending = None
        self._totals.stored += delivered.stored
        self._totals.duplicates += delivered.duplicates
        self._totals.conflicts += delivered.conflicts
        self._totals.refused += delivered.refused

    def report(self, delivered: Delivered) -> None:
        """Names refused events to the log and to ``on_refused``."""
        for refused in delivered.refused_events:
            event = refused.event
            LOG.error(
                "event %s of topic %s was refused: %s",
                event.get("event_id"),
                event.get("topic"),
                refused.reason,
            )
            if self._on_refused is not None:
                self._on_refused(refused)

    def put_aside(self, *, everything: bool) -> None:
        """Moves events to the spool, if there is one: whole batches, or everything.

        Events stay in memory where the spool is full or cannot be written.
        """
        if self._spool is None:
            return
        try:
            if self._sending is not None and self._sending.file is None:
                if not self._spool.append(self._sending.lines):
                    return
                self._sending = None
            while self._lines and (everything or len(self._lines) >= self._batch_events):
                batch = self._take()
                if not self._spool.append(batch):
                    self._lines.extendleft(reversed(batch))
                    self._bytes += sum(map(len, batch))
                    return
        except OSError as error:
            LOG.error("cannot write to the spool: %s", error)

    def close(self) -> int:
        """Spools what waits, closes the spool, and returns the number of events left in memory."""
        self.put_aside(everything=True)
        left = self.stats().waiting
        if self._spool is not None:
            self._spool.close()
        return left

    def stats(self) -> PublisherStats:
        """Returns the counts."""
        in_memory = self._sending is not None and self._sending.file is None
        sending = len(self._sending.lines) if in_memory and self._sending is not None else 0
        return PublisherStats(
            stored=self._totals.stored,
            duplicates=self._totals.duplicates,
            conflicts=self._totals.conflicts,
            refused=self._totals.refused,
            waiting=len(self._lines) + sending,
            spooled=self._spool.events if self._spool is not None else 0,
        )

    def _take(self) -> list[bytes]:
        count, size = 0, 0
        for line in itertools.islice(self._lines, self._batch_events):
            if count > 0 and size + len(line) > self._batch_bytes:
                break
            count += 1
            size += len(line)
        self._bytes -= size
        return [self._lines.popleft() for _ in range(count)]
