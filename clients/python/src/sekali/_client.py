"""Clients that publish single batches, and read."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from ._errors import Refused, Unavailable
from ._event import Batch, Event, Published
from ._protocol import (
    DEFAULT_URL,
    Backoff,
    Params,
    QueryParams,
    ServerSentEvents,
    check,
    consumer_batch,
    consumer_body,
    consumer_path,
    encode,
    event_path,
    options,
    publish_request,
    published,
    query,
    sql_request,
    unreachable,
)

if TYPE_CHECKING:
    import pandas

Topic = str | list[str] | None
# A stream without even a heartbeat for so many seconds is broken.
TAIL_SILENCE_SECONDS = 60.0


class Client:
    """A blocking client. Safe for use by many threads.

    Every method raises :class:`Unavailable` if the server cannot answer now, and
    :class:`Refused` if it never will. ``filters`` are those of the HTTP interface by their names,
    such as ``{"payload.status": 500, "not.source": "test"}``; a list is any of its values.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        self._http = http or httpx.Client(**options(url, key, timeout))

    def publish(self, events: Iterable[Event], *, retry_for: float = 60.0) -> Published:
        """Publishes events in one request and returns once they are stored.

        Tries again for ``retry_for`` seconds while the server is away. Nothing is stored if one of
        the events is invalid. At most 100,000 events and 32 MiB.
        """
        request = publish_request(encode(events))
        backoff, end = Backoff(), time.monotonic() + retry_for
        while True:
            try:
                return published(self._json("POST", "publish", **request))
            except Unavailable as error:
                wait = backoff.wait(error.retry_after)
                if time.monotonic() + wait > end:
                    raise
                time.sleep(wait)

    def get(self, topic: str, event_id: str) -> dict[str, Any] | None:
        """Returns an event by its key, or ``None``."""
        try:
            event: dict[str, Any] = self._json("GET", event_path(topic, event_id))
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return event

    def events(
        self,
        *,
        topic: Topic = None,
        since: Any = None,
        until: Any = None,
        filters: Params | None = None,
        order: str | None = None,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yields matching events as they arrive, all that are stored now or up to ``limit``."""
        more = {"since": since, "until": until, "order": order, "limit": limit}
        params = query(topic, filters, more)
        headers = {"accept": "application/x-ndjson"}
        try:
            with self._http.stream("GET", "events", params=params, headers=headers) as response:
                if not response.is_success:
                    response.read()
                check(response)
                for line in response.iter_lines():
                    yield json.loads(line)
        except httpx.HTTPError as error:
            raise unreachable(error) from error

    def count(
        self, *, topic: Topic = None, filters: Params | None = None, **params: Any
    ) -> dict[str, Any]:
        """Counts events: ``by``, ``top``, ``interval``, ``auto``, ``within``, ``since``…"""
        return self._query("events/count", topic, filters, params)

    def fields(
        self, *, topic: Topic = None, filters: Params | None = None, **params: Any
    ) -> dict[str, Any]:
        """Returns the fields that events have, with their most frequent values."""
        return self._query("events/fields", topic, filters, params)

    def stats(
        self, field: str, *, topic: Topic = None, filters: Params | None = None, **params: Any
    ) -> dict[str, Any]:
        """Returns quantiles, sum and histogram of a number."""
        return self._query("events/stats", topic, filters, {"field": field, **params})

    def server_stats(self) -> dict[str, Any]:
        """Returns the counters and the health of the server."""
        return self._query("stats", None, None, {})

    def dataframe(self, *, topic: Topic = None, **selection: Any) -> pandas.DataFrame:
        """Returns matching events as a pandas data frame; arguments as for :meth:`events`.

        Members of payloads are columns named ``payload.<path>``; times are of UTC.
        """
        import pandas

        events = list(self.events(topic=topic, **selection))
        frame = pandas.json_normalize(events)
        for column in ("timestamp", "received_at"):
            if column in frame:
                frame[column] = pandas.to_datetime(frame[column], utc=True, format="ISO8601")
        return frame

    def sql(
        self, statement: str, parameters: Iterable[Any] = (), *, within: str | None = None
    ) -> dict[str, Any]:
        """Runs a statement of SQL that reads; ``?`` in it stands for the next parameter.

        Returns ``columns`` and ``rows``; ``complete`` is false if time, rows or bytes ran out.
        """
        request = sql_request(statement, parameters, within)
        answer: dict[str, Any] = self._json("POST", "sql", **request)
        return answer

    def consume(
        self,
        name: str,
        *,
        topic: Topic = None,
        filters: Params | None = None,
        start: str = "beginning",
        limit: int = 1000,
        wait: float = 30.0,
    ) -> Iterator[Batch]:
        """Yields batches of events behind the position that the server keeps under ``name``.

        Makes the consumer, beginning at ``start`` (``"beginning"``, ``"now"`` or a cursor), unless
        there is one; then it has these filters from now on. A batch is acknowledged when the next
        one is asked for, so that a crash or an exception before that brings it again. ``wait`` is
        how long a request waits for events, up to 60 seconds. Goes on by itself when the server
        was away. For ever: ``break`` ends it, without acknowledging the last batch.
        """
        body = consumer_body(topic, filters, start)
        self._patiently("PUT", consumer_path(name), json=body)
        params: QueryParams = [("limit", limit), ("wait", f"{round(wait * 1000)}ms")]
        timeout = httpx.Timeout(30.0, read=30.0 + wait)
        while True:
            path = consumer_path(name, "/events")
            batch = consumer_batch(self._patiently("GET", path, params=params, timeout=timeout))
            if batch.events:
                yield batch
                path = consumer_path(name, "/ack")
                self._patiently("POST", path, json={"cursor": batch.cursor})

    def tail(
        self,
        *,
        topic: Topic = None,
        filters: Params | None = None,
        since_cursor: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yields matching events as they are stored, for ever, from now on or behind a cursor.

        Reconnects by itself, without a gap and without a repeat.
        """
        backoff, parser = Backoff(), ServerSentEvents(last_id=since_cursor)
        while True:
            wait = None
            try:
                for event in self._tail_once(query(topic, filters, {}), parser):
                    backoff.reset()
                    yield event
            except Unavailable as error:
                wait = error.retry_after
            time.sleep(backoff.wait(wait))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _tail_once(self, params: QueryParams, parser: ServerSentEvents) -> Iterator[dict[str, Any]]:
        headers = {"accept": "text/event-stream"}
        if parser.last_id is not None:
            headers["last-event-id"] = parser.last_id
        timeout = httpx.Timeout(30.0, read=TAIL_SILENCE_SECONDS)
        request: dict[str, Any] = {"params": params, "headers": headers, "timeout": timeout}
        try:
            with self._http.stream("GET", "events/stream", **request) as response:
                if not response.is_success:
                    response.read()
                check(response)
                for line in response.iter_lines():
                    message = parser.feed(line)
                    if message is not None and message[0] == "message":
                        yield json.loads(message[1])
        except httpx.HTTPError as error:
            raise unreachable(error) from error

    def _query(
        self, path: str, topic: Topic, filters: Params | None, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        answer: dict[str, Any] = self._json("GET", path, params=query(topic, filters, more))
        return answer

    def _json(self, method: str, path: str, **request: Any) -> Any:
        return self._answer(method, path, **request).json()

    def _patiently(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Repeats a request until the server answers."""
        backoff = Backoff()
        while True:
            try:
                return self._answer(method, path, **request)
            except Unavailable as error:
                time.sleep(backoff.wait(error.retry_after))

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        check(response)
        return response


class AsyncClient:
    """An asynchronous client; see :class:`Client`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._http = http or httpx.AsyncClient(**options(url, key, timeout))

    async def publish(self, events: Iterable[Event], *, retry_for: float = 60.0) -> Published:
        """Publishes events in one request, as :meth:`Client.publish` does."""
        request = publish_request(encode(events))
        backoff, end = Backoff(), time.monotonic() + retry_for
        while True:
            try:
                return published(await self._json("POST", "publish", **request))
            except Unavailable as error:
                wait = backoff.wait(error.retry_after)
                if time.monotonic() + wait > end:
                    raise
                await asyncio.sleep(wait)

    async def get(self, topic: str, event_id: str) -> dict[str, Any] | None:
        """Returns an event by its key, or ``None``."""
        try:
            event: dict[str, Any] = await self._json("GET", event_path(topic, event_id))
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return event

    async def events(
        self,
        *,
        topic: Topic = None,
        since: Any = None,
        until: Any = None,
        filters: Params | None = None,
        order: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yields matching events, as :meth:`Client.events` does."""
        more = {"since": since, "until": until, "order": order, "limit": limit}
        params = query(topic, filters, more)
        headers = {"accept": "application/x-ndjson"}
        try:
            async with self._http.stream(
                "GET", "events", params=params, headers=headers
            ) as response:
                if not response.is_success:
                    await response.aread()
                check(response)
                async for line in response.aiter_lines():
                    yield json.loads(line)
        except httpx.HTTPError as error:
            raise unreachable(error) from error

    async def count(
        self, *, topic: Topic = None, filters: Params | None = None, **params: Any
    ) -> dict[str, Any]:
        """Counts events, as :meth:`Client.count` does."""
        answer: dict[str, Any] = await self._json(
            "GET", "events/count", params=query(topic, filters, params)
        )
        return answer

    async def server_stats(self) -> dict[str, Any]:
        """Returns the counters and the health of the server."""
        answer: dict[str, Any] = await self._json("GET", "stats")
        return answer

    async def sql(
        self, statement: str, parameters: Iterable[Any] = (), *, within: str | None = None
    ) -> dict[str, Any]:
        """Runs a statement of SQL that reads, as :meth:`Client.sql` does."""
        request = sql_request(statement, parameters, within)
        answer: dict[str, Any] = await self._json("POST", "sql", **request)
        return answer

    async def consume(
        self,
        name: str,
        *,
        topic: Topic = None,
        filters: Params | None = None,
        start: str = "beginning",
        limit: int = 1000,
        wait: float = 30.0,
    ) -> AsyncIterator[Batch]:
        """Yields batches of events of a consumer, as :meth:`Client.consume` does."""
        body = consumer_body(topic, filters, start)
        await self._patiently("PUT", consumer_path(name), json=body)
        params: QueryParams = [("limit", limit), ("wait", f"{round(wait * 1000)}ms")]
        timeout = httpx.Timeout(30.0, read=30.0 + wait)
        while True:
            path = consumer_path(name, "/events")
            batch = consumer_batch(
                await self._patiently("GET", path, params=params, timeout=timeout)
            )
            if batch.events:
                yield batch
                path = consumer_path(name, "/ack")
                await self._patiently("POST", path, json={"cursor": batch.cursor})

    async def tail(
        self,
        *,
        topic: Topic = None,
        filters: Params | None = None,
        since_cursor: str | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yields matching events as they are stored, as :meth:`Client.tail` does."""
        backoff, parser = Backoff(), ServerSentEvents(last_id=since_cursor)
        while True:
            wait = None
            try:
                async for event in self._tail_once(query(topic, filters, {}), parser):
                    backoff.reset()
                    yield event
            except Unavailable as error:
                wait = error.retry_after
            await asyncio.sleep(backoff.wait(wait))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _tail_once(
        self, params: QueryParams, parser: ServerSentEvents
    ) -> AsyncIterator[dict[str, Any]]:
        headers = {"accept": "text/event-stream"}
        if parser.last_id is not None:
            headers["last-event-id"] = parser.last_id
        timeout = httpx.Timeout(30.0, read=TAIL_SILENCE_SECONDS)
        request: dict[str, Any] = {"params": params, "headers": headers, "timeout": timeout}
        try:
            async with self._http.stream("GET", "events/stream", **request) as response:
                if not response.is_success:
                    await response.aread()
                check(response)
                async for line in response.aiter_lines():
                    message = parser.feed(line)
                    if message is not None and message[0] == "message":
                        yield json.loads(message[1])
        except httpx.HTTPError as error:
            raise unreachable(error) from error

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        return (await self._answer(method, path, **request)).json()

    async def _patiently(self, method: str, path: str, **request: Any) -> httpx.Response:
        backoff = Backoff()
        while True:
            try:
                return await self._answer(method, path, **request)
            except Unavailable as error:
                await asyncio.sleep(backoff.wait(error.retry_after))

    async def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        check(response)
        return response
