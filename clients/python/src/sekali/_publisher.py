"""Publishers that send in the background and try again until every event is stored."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from ._delivery import Delivered, delivery
from ._errors import BufferFull, NotPublished, SekaliError, Unavailable
from ._event import Event, RefusedEvent
from ._outbox import LOG, Outbox, PublisherStats
from ._protocol import DEFAULT_URL, Backoff, options, unreachable

MIB = 1024 * 1024

__all__ = ["AsyncPublisher", "Publisher", "PublisherStats"]


def _event(
    topic: str,
    payload: Mapping[str, Any],
    event_id: str | None,
    timestamp: datetime | str | None,
    source: str,
) -> Event:
    given: dict[str, Any] = {"event_id": event_id, "timestamp": timestamp}
    given = {name: value for name, value in given.items() if value is not None}
    return Event(topic=topic, payload=payload, source=source, **given)


class Publisher:
    """Sends events from a thread of its own. Safe for use by many threads.

    Each event has its id from the moment of :meth:`publish`, so that no retry stores it twice. An
    event is safe once it is counted as stored or duplicate, or once it is in the spool.

    - ``spool``: directory for events that the server does not take at the moment. They are sent
      when it is back, by this process or by a later one. Without it they wait in memory.
    - ``batch_events``, ``batch_bytes``: limits of a request.
    - ``linger``: seconds that an event waits for others to share its request.
    - ``buffer_bytes``: limit of the events in memory; beyond it :meth:`publish` waits.
    - ``on_refused``: called, from the thread, for each event that the server refuses for good.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        source: str = "",
        spool: str | os.PathLike[str] | None = None,
        spool_bytes: int = 1024 * MIB,
        batch_events: int = 500,
        batch_bytes: int = MIB,
        buffer_bytes: int = 32 * MIB,
        linger: float = 0.1,
        timeout: float = 30.0,
        on_refused: Callable[[RefusedEvent], None] | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self._source = source
        self._linger = linger
        self._http = http or httpx.Client(**options(url, key, timeout))
        self._outbox = Outbox(
            spool=spool,
            spool_bytes=spool_bytes,
            buffer_bytes=buffer_bytes,
            batch_events=batch_events,
            batch_bytes=batch_bytes,
            on_refused=on_refused,
        )
        # Guards the outbox and the fields below.
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_closed = False
        self._flushing = 0
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="sekali-publisher", daemon=True)
        self._thread.start()
        atexit.register(self._close_at_exit)

    def publish(
        self,
        topic: str,
        payload: Mapping[str, Any],
        *,
        event_id: str | None = None,
        timestamp: datetime | str | None = None,
        source: str | None = None,
        block: bool = True,
    ) -> str:
        """Takes an event to be sent, and returns its id.

        Raises :class:`InvalidEvent` at once for an event that the server would refuse. If the
        buffer is full, waits for room, or raises :class:`BufferFull` with ``block=False``.
        """
        made = self._source if source is None else source
        event = _event(topic, payload, event_id, timestamp, made)
        self.publish_event(event, block=block)
        return event.event_id

    def publish_event(self, event: Event, *, block: bool = True) -> None:
        """Takes an event to be sent, as :meth:`publish` does."""
        line = event.to_json()
        with self._changed:
            while not self._is_closing and not self._outbox.has_room(line):
                if not block:
                    raise BufferFull("the buffer of events that wait for the server is full")
                self._changed.wait()
            if self._is_closing:
                raise SekaliError("the publisher is closed")
            self._outbox.add(line)
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until no event waits any more. Returns ``False`` if that takes longer."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._outbox.is_empty, timeout)
            finally:
                self._flushing -= 1

    def stats(self) -> PublisherStats:
        """Returns the counts since the publisher was made."""
        with self._changed:
            return self._outbox.stats()

    def close(self, timeout: float = 10.0) -> None:
        """Sends what waits, for up to ``timeout`` seconds, and spools the rest.

        Raises :class:`NotPublished` if there is a rest and no spool that takes it.
        """
        with self._changed:
            if self._is_closed:
                return
            self._is_closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._outbox.is_empty, timeout)
            self._is_closed = True
            left = self._outbox.close()
            self._changed.notify_all()
        self._http.close()
        atexit.unregister(self._close_at_exit)
        if left:
            raise NotPublished(left, self._trouble)

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except NotPublished as error:
            LOG.error("%s", error)

    def _run(self) -> None:
        backoff = Backoff()
        while self._wait_for_batch():
            with self._changed:
                batch = None if self._is_closed else self._outbox.begin()
            if batch is None:
                continue
            try:
                delivered = self._deliver(batch.lines)
            except Unavailable as error:
                self._note_failure(error, backoff)
                continue
            except Exception as error:
                # A fault of this package or of a proxy must not end the thread: events would wait
                # for ever.
                LOG.exception("a batch could not be sent")
                self._note_failure(Unavailable(repr(error)), backoff)
                continue
            backoff.reset()
            # Before a flush returns.
            self._outbox.report(delivered)
            with self._changed:
                self._trouble = None
                if not self._is_closed:
                    self._outbox.end(delivered)
                self._changed.notify_all()

    def _wait_for_batch(self) -> bool:
        """Waits for a full batch, or for some events and the linger. ``False`` once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or not self._outbox.is_empty)
            self._changed.wait_for(self._must_send, self._linger)
            return not self._is_closed

    def _must_send(self) -> bool:
        return self._is_closing or self._flushing > 0 or self._outbox.has_batch

    def _deliver(self, lines: list[bytes]) -> Delivered:
        steps = delivery(lines)
        request = next(steps)
        while True:
            try:
                response = self._http.post("publish", **request)
            except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed meanwhile
                raise Unavailable(str(error) or type(error).__name__) from error
            try:
                request = steps.send(response)
            except StopIteration as stop:
                result: Delivered = stop.value
                return result

    def _note_failure(self, error: Unavailable, backoff: Backoff) -> None:
        until = time.monotonic() + backoff.wait(error.retry_after)
        with self._changed:
            if self._trouble is None and not self._is_closed:
                LOG.warning("events wait for the server: %s", error)
            self._trouble = str(error)
            while not self._is_closed and (rest := until - time.monotonic()) > 0:
                self._outbox.put_aside(everything=False)
                self._changed.notify_all()
                self._changed.wait(min(rest, 1.0))


class AsyncPublisher:
    """Sends events from a task of the running event loop; see :class:`Publisher`.

    To be used as an asynchronous context manager.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        source: str = "",
        spool: str | os.PathLike[str] | None = None,
        spool_bytes: int = 1024 * MIB,
        batch_events: int = 500,
        batch_bytes: int = MIB,
        buffer_bytes: int = 32 * MIB,
        linger: float = 0.1,
        timeout: float = 30.0,
        on_refused: Callable[[RefusedEvent], None] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._source = source
        self._linger = linger
        self._http = http or httpx.AsyncClient(**options(url, key, timeout))
        self._outbox = Outbox(
            spool=spool,
            spool_bytes=spool_bytes,
            buffer_bytes=buffer_bytes,
            batch_events=batch_events,
            batch_bytes=batch_bytes,
            on_refused=on_refused,
        )
        self._changed = asyncio.Condition()
        self._is_closing = False
        self._flushing = 0
        self._trouble: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def publish(
        self,
        topic: str,
        payload: Mapping[str, Any],
        *,
        event_id: str | None = None,
        timestamp: datetime | str | None = None,
        source: str | None = None,
    ) -> str:
        """Takes an event to be sent, waiting for room if need be, and returns its id."""
        made = self._source if source is None else source
        event = _event(topic, payload, event_id, timestamp, made)
        await self.publish_event(event)
        return event.event_id

    async def publish_event(self, event: Event) -> None:
        """Takes an event to be sent, as :meth:`publish` does."""
        line = event.to_json()
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_closing or self._outbox.has_room(line))
            if self._is_closing or self._task is None:
                raise SekaliError("the publisher is not open; use it with `async with`")
            self._outbox.add(line)
            self._changed.notify_all()

    async def flush(self, timeout: float | None = None) -> bool:
        """Waits until no event waits any more. Returns ``False`` if that takes longer."""
        async with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return await self._empty_within(timeout)
            finally:
                self._flushing -= 1

    def stats(self) -> PublisherStats:
        """Returns the counts since the publisher was made."""
        return self._outbox.stats()

    async def close(self, timeout: float = 10.0) -> None:
        """Sends what waits, for up to ``timeout`` seconds, and spools the rest.

        Raises :class:`NotPublished` if there is a rest and no spool that takes it.
        """
        task, self._task = self._task, None
        if task is None:
            return
        async with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            await self._empty_within(timeout)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        left = await asyncio.to_thread(self._outbox.close)
        await self._http.aclose()
        if left:
            raise NotPublished(left, self._trouble)

    async def __aenter__(self) -> AsyncPublisher:
        self._task = asyncio.create_task(self._run(), name="sekali-publisher")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _empty_within(self, timeout: float | None) -> bool:
        """Waits, with the condition held, until the outbox is empty."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._outbox.is_empty:
            rest = None if end is None else end - time.monotonic()
            if rest is not None and rest <= 0:
                return False
            await self._changed_within(rest)
        return True

    async def _changed_within(self, timeout: float | None) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except asyncio.TimeoutError:
            return

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            await self._wait_for_batch()
            batch = self._outbox.begin()
            if batch is None:
                continue
            try:
                delivered = await self._deliver(batch.lines)
            except Unavailable as error:
                await self._note_failure(error, backoff)
                continue
            except Exception as error:
                LOG.exception("a batch could not be sent")
                await self._note_failure(Unavailable(repr(error)), backoff)
                continue
            backoff.reset()
            self._outbox.report(delivered)
            async with self._changed:
                self._trouble = None
                self._outbox.end(delivered)
                self._changed.notify_all()

    async def _wait_for_batch(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._outbox.is_empty)
            end = time.monotonic() + self._linger
            while not (self._is_closing or self._flushing or self._outbox.has_batch):
                rest = end - time.monotonic()
                if rest <= 0:
                    return
                await self._changed_within(rest)

    async def _deliver(self, lines: list[bytes]) -> Delivered:
        steps = delivery(lines)
        request = next(steps)
        while True:
            try:
                response = await self._http.post("publish", **request)
            except httpx.HTTPError as error:
                raise unreachable(error) from error
            try:
                request = steps.send(response)
            except StopIteration as stop:
                result: Delivered = stop.value
                return result

    async def _note_failure(self, error: Unavailable, backoff: Backoff) -> None:
        if self._trouble is None:
            LOG.warning("events wait for the server: %s", error)
        self._trouble = str(error)
        until = time.monotonic() + backoff.wait(error.retry_after)
        while (rest := until - time.monotonic()) > 0:
            async with self._changed:
                await asyncio.to_thread(self._outbox.put_aside, everything=False)
                self._changed.notify_all()
            await asyncio.sleep(min(rest, 1.0))
