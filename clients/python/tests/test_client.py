from __future__ import annotations

import asyncio
import threading

import pytest

from conftest import Server
from sekali import AsyncClient, Client, Event, Refused, Unavailable


def orders(count: int) -> list[Event]:
    return [
        Event("orders", {"number": number, "even": number % 2 == 0}, str(number))
        for number in range(count)
    ]


def test_a_batch_is_published_and_its_repeat_is_known(server: Server) -> None:
    with Client(server.url) as client:
        first = client.publish(orders(100))
        again = client.publish(orders(101))
    assert (first.stored, first.duplicates) == (100, 0)
    assert (again.stored, again.duplicates, again.conflicts) == (1, 100, 0)


def test_events_are_read_with_filters(server: Server) -> None:
    with Client(server.url) as client:
        client.publish(orders(50))
        even = list(client.events(topic="orders", filters={"payload.even": True}))
        assert [event["payload"]["number"] for event in even] == list(range(0, 50, 2))
        assert client.get("orders", "7")["payload"]["number"] == 7  # type: ignore[index]
        assert client.get("orders", "none") is None
        assert client.count(filters={"payload.even": [True, False]})["count"] == 50
        assert client.count(by="payload.even")["groups"][0]["count"] == 25
        assert client.stats("payload.number")["max"] == 49
        assert {field["field"] for field in client.fields()["fields"]} >= {"payload.number"}
        assert client.server_stats()["unique_processed"] == 50


def test_a_data_frame_has_columns_for_members(server: Server) -> None:
    pytest.importorskip("pandas")
    with Client(server.url) as client:
        client.publish(orders(10))
        frame = client.dataframe(topic="orders")
    assert frame["payload.number"].sum() == 45
    assert str(frame["timestamp"].dt.tz) == "UTC"


def test_refusals_name_what_is_wrong(server: Server) -> None:
    with Client(server.url) as client:
        with pytest.raises(Refused, match="invalid_parameter") as caught:
            list(client.events(filters={"colour": "red"}))
        assert caught.value.status == 400
        with pytest.raises(Refused, match="event 0 timestamp"):
            client.publish([Event("t", {}, timestamp="noon")])


def test_an_absent_server_is_unavailable(stopped_server: Server) -> None:
    with Client(stopped_server.url) as client:
        with pytest.raises(Unavailable):
            client.publish(orders(1), retry_for=0.2)
        with pytest.raises(Unavailable):
            list(client.events())


def test_an_asynchronous_client_publishes_and_reads(server: Server) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            assert (await client.publish(orders(20))).stored == 20
            found = [event async for event in client.events(topic="orders", limit=5)]
            assert len(found) == 5
            assert (await client.count())["count"] == 20
            assert await client.get("orders", "none") is None

    asyncio.run(run())


def test_a_tail_goes_on_without_gap_or_repeat_over_a_killed_server(server: Server) -> None:
    seen: list[int] = []
    started = threading.Event()
    finished = threading.Event()

    def tail() -> None:
        with Client(server.url) as client:
            for event in client.tail(topic="orders"):
                if event["event_id"].startswith("start"):
                    started.set()
                    continue
                seen.append(event["payload"]["number"])
                if len(seen) == 300:
                    finished.set()
                    return

    reader = threading.Thread(target=tail, daemon=True)
    reader.start()
    with Client(server.url) as client:
        # The tail begins with the events stored after it was opened.
        attempts = 0
        while not started.wait(0.1):
            client.publish([Event("orders", {}, f"start {attempts}")])
            attempts += 1
        for begin in range(0, 300, 10):
            client.publish(orders(300)[begin : begin + 10])
            if begin == 150:
                server.kill()
                server.start()
    assert finished.wait(30)
    assert seen == list(range(300))


def test_a_statement_of_sql_is_answered_with_rows(server: Server) -> None:
    statement = "SELECT count(*) AS n FROM events WHERE topic = ? AND payload ->> 'number' < ?"
    with Client(server.url) as client:
        client.publish(orders(20))
        answer = client.sql(statement, ["orders", 5])
        assert (answer["columns"], answer["rows"]) == (["n"], [[5]])
        with pytest.raises(Refused, match="sql_not_allowed"):
            client.sql("DROP TABLE events")


def test_a_consumer_misses_nothing_over_a_killed_server(server: Server) -> None:
    seen: list[int] = []
    with Client(server.url) as client:
        client.publish(orders(300))
        for batch in client.consume("mailer", topic="orders", limit=40, wait=0.2):
            seen += [event["payload"]["number"] for event in batch.events]
            if len(seen) == 120:
                server.kill()
                restart = threading.Timer(0.5, server.start)
                restart.start()
            if len(seen) == 300:
                break
    restart.join()
    assert seen == list(range(300))


def test_a_batch_that_was_not_acknowledged_comes_again(server: Server) -> None:
    filters = {"payload.even": True}
    with Client(server.url) as client:
        client.publish(orders(20))
        batches = client.consume("mailer", topic="orders", filters=filters, limit=4)
        first = next(batches)
        assert [event["event_id"] for event in first.events] == ["0", "2", "4", "6"]
        second = next(batches)  # acknowledges the first one
        batches.close()  # type: ignore[attr-defined]
        server.kill()
        server.start()
        assert next(client.consume("mailer", topic="orders", filters=filters, limit=4)) == second


def test_an_asynchronous_consumer_waits_for_events(server: Server) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            seen: list[str] = []
            await client.publish(orders(10))

            async def later() -> None:
                await asyncio.sleep(0.3)
                await client.publish(orders(12))

            task = asyncio.create_task(later())
            async for batch in client.consume("mailer", topic="orders"):
                seen += [event["event_id"] for event in batch.events]
                if len(seen) == 12:
                    break
            await task
            assert seen == [str(number) for number in range(12)]
            assert (await client.sql("SELECT count(*) FROM events"))["rows"] == [[12]]

    asyncio.run(run())
