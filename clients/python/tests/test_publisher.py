from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest

from conftest import Server
from sekali import (
    AsyncPublisher,
    BufferFull,
    Client,
    NotPublished,
    Publisher,
    RefusedEvent,
    SekaliError,
)
from sekali.logging import SekaliHandler


def test_events_are_stored_once_although_the_server_is_killed_again_and_again(
    server: Server,
) -> None:
    publisher = Publisher(server.url, batch_events=20, linger=0.01, timeout=5)
    done = threading.Event()

    def kill_and_start() -> None:
        while not done.wait(0.2):
            server.kill()
            server.start()

    chaos = threading.Thread(target=kill_and_start)
    chaos.start()
    try:
        for number in range(3_000):
            publisher.publish("orders", {"number": number}, event_id=str(number))
            if number % 100 == 0:
                time.sleep(0.05)
        done.set()
        chaos.join()
        assert publisher.flush(60)
    finally:
        done.set()
        chaos.join()
        publisher.close()
    stats = publisher.stats()
    assert stats.stored + stats.duplicates == 3_000
    assert (stats.conflicts, stats.refused, stats.waiting) == (0, 0, 0)
    assert server.stats()["unique_processed"] == 3_000


def test_a_spool_outlives_the_process_that_filled_it(stopped_server: Server) -> None:
    spool = stopped_server.directory / "spool"
    first = Publisher(stopped_server.url, spool=spool, batch_events=10)
    for number in range(95):
        first.publish("orders", {"number": number}, event_id=str(number))
    first.close(timeout=0.5)
    assert first.stats().spooled == 95
    stopped_server.start()
    with Publisher(stopped_server.url, spool=spool) as second:
        assert second.flush(30)
        assert second.stats().stored == 95
        assert second.stats().spooled == 0
    assert not list(spool.glob("*.ndjson"))


def test_a_spool_belongs_to_one_process_and_has_a_limit(stopped_server: Server) -> None:
    spool = stopped_server.directory / "spool"
    publisher = Publisher(stopped_server.url, spool=spool, spool_bytes=1_300, batch_events=5)
    with pytest.raises(SekaliError, match="another process uses the spool"):
        Publisher(stopped_server.url, spool=spool)
    for number in range(20):
        publisher.publish("orders", {"number": number}, event_id=str(number))
    with pytest.raises(NotPublished, match="10 events were not published") as caught:
        publisher.close(timeout=0.3)
    assert caught.value.count == 10
    assert publisher.stats().spooled == 10


def test_without_a_spool_a_full_buffer_and_a_close_are_told(stopped_server: Server) -> None:
    publisher = Publisher(stopped_server.url, buffer_bytes=1_000)
    with pytest.raises(BufferFull):
        for _ in range(100):
            publisher.publish("orders", {"x": "y" * 100}, block=False)
    waiting = publisher.stats().waiting
    assert waiting > 0
    with pytest.raises(NotPublished):
        publisher.close(timeout=0.2)
    with pytest.raises(SekaliError, match="closed"):
        publisher.publish("orders", {})


def test_refused_events_are_named_and_hold_nothing_up(server: Server) -> None:
    refused: list[RefusedEvent] = []
    with Publisher(server.url, on_refused=refused.append) as publisher:
        publisher.publish("orders", {}, event_id="good")
        publisher.publish("orders", {}, event_id="bad", timestamp="yesterday at noon")
        publisher.publish("orders", {}, event_id="also good")
        assert publisher.flush(30)
        assert (publisher.stats().stored, publisher.stats().refused) == (2, 1)
    assert [(one.event["event_id"], "timestamp" in one.reason) for one in refused] == [
        ("bad", True)
    ]


def test_one_event_that_makes_a_whole_request_fail_is_found(server: Server) -> None:
    deep: dict[str, object] = {}
    for _ in range(70):
        deep = {"x": deep}
    refused: list[RefusedEvent] = []
    with Publisher(server.url, on_refused=refused.append) as publisher:
        for number in range(50):
            publisher.publish("orders", deep if number == 31 else {}, event_id=str(number))
        assert publisher.flush(30)
        assert (publisher.stats().stored, publisher.stats().refused) == (49, 1)
    assert [one.event["event_id"] for one in refused] == ["31"]


def test_records_of_logging_become_events(server: Server) -> None:
    publisher = Publisher(server.url)
    handler = SekaliHandler(publisher, "app.log", source="test")
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    try:
        try:
            raise ValueError("no such order")
        except ValueError:
            logger.exception("order %d", 5, extra={"order": 5, "object": handler})
    finally:
        logger.removeHandler(handler)
        handler.close()
    with Client(server.url) as client:
        (event,) = client.events(topic="app.log")
    payload = event["payload"]
    assert event["source"] == "test"
    assert (payload["level"], payload["message"], payload["order"]) == ("ERROR", "order 5", 5)
    assert "ValueError: no such order" in payload["exception"]
    assert "SekaliHandler" in payload["object"]
    assert handler.dropped == 0


def test_an_asynchronous_publisher_survives_a_killed_server(server: Server, tmp_path: Path) -> None:
    async def publish() -> None:
        async with AsyncPublisher(
            server.url, spool=tmp_path / "spool", batch_events=20, linger=0.01
        ) as publisher:
            for number in range(500):
                await publisher.publish("orders", {"number": number}, event_id=str(number))
                if number == 200:
                    await asyncio.to_thread(server.kill)
                if number == 400:
                    await asyncio.to_thread(server.start)
            assert await publisher.flush(60)
            stats = publisher.stats()
            assert stats.stored + stats.duplicates == 500

    asyncio.run(publish())
    assert server.stats()["unique_processed"] == 500


def test_an_asynchronous_publisher_spools_what_it_cannot_send(stopped_server: Server) -> None:
    spool = stopped_server.directory / "spool"

    async def publish() -> None:
        async with AsyncPublisher(stopped_server.url, spool=spool) as publisher:
            await publisher.publish("orders", {}, event_id="1")
            await publisher.close(timeout=0.2)

    asyncio.run(publish())
    assert len(list(spool.glob("*-1.ndjson"))) == 1
