"""A log aggregator of the kind Sekali set out from: FastAPI takes events into an asyncio.Queue, and a worker stores one after
the other in SQLite, each in a transaction of its own, with (topic, event_id) as the primary key.

The queue is bounded, so that whoever publishes is held back to the rate at which events are stored.
"""

import asyncio
import json
import os
import sqlite3
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel

QUEUE_EVENTS_MAX = 200


class Event(BaseModel):
    topic: str
    event_id: str
    timestamp: str
    source: str
    payload: dict


class Store:
    """The events, and how many came."""

    def __init__(self, path: str):
        self.db = sqlite3.connect(path)
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS events (topic TEXT, event_id TEXT, timestamp TEXT, source TEXT, payload TEXT, "
            "PRIMARY KEY (topic, event_id))"
        )
        self.received = self.unique_processed = self.duplicate_dropped = 0

    def add(self, event: Event) -> None:
        row = (event.topic, event.event_id, event.timestamp, event.source, json.dumps(event.payload))
        try:
            with self.db:
                self.db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
            self.unique_processed += 1
        except sqlite3.IntegrityError:
            self.duplicate_dropped += 1


store = Store(os.environ.get("DATABASE", "dedup.db"))
queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_EVENTS_MAX)


async def work() -> None:
    while True:
        event = await queue.get()
        store.add(event)
        queue.task_done()


@asynccontextmanager
async def lifespan(_: FastAPI):
    worker = asyncio.create_task(work())
    yield
    worker.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/publish", status_code=202)
async def publish(events: Event | list[Event]):
    batch = events if isinstance(events, list) else [events]
    store.received += len(batch)
    for event in batch:
        await queue.put(event)
    # Whether an event is new turns out only later.
    return {"message": "queued", "received": len(batch), "stored": 0, "duplicates": 0, "conflicts": 0}


@app.get("/events")
async def events(topic: str):
    columns = ("topic", "event_id", "timestamp", "source", "payload")
    rows = store.db.execute("SELECT * FROM events WHERE topic = ?", (topic,))
    return [dict(zip(columns, row)) for row in rows]


@app.get("/stats")
async def stats():
    return {
        "received": store.received,
        "unique_processed": store.unique_processed,
        "duplicate_dropped": store.duplicate_dropped,
        "topics": [topic for (topic,) in store.db.execute("SELECT DISTINCT topic FROM events")],
    }
