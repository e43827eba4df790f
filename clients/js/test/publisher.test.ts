import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pino from "pino";
import { Client, InvalidEvent, newEventId, NotPublished, Publisher, type RefusedEvent } from "../src/index.js";
import transport from "../src/pino.js";
import { DirectorySpool } from "../src/spool.js";
import { pause, Server } from "./server.js";

test("events are stored once although the server is killed again and again", async () => {
  await using server = await Server.running();
  const publisher = new Publisher({ url: server.url, batchEvents: 20, linger: 10, timeout: 5_000 });
  let isDone = false;
  const chaos = (async () => {
    while (!isDone) {
      await pause(200);
      await server.kill();
      await server.start();
    }
  })();
  for (let number = 0; number < 2_000; number += 1) {
    await publisher.publish({ topic: "orders", payload: { number }, eventId: String(number) });
    if (number % 100 === 0) await pause(50);
  }
  isDone = true;
  await chaos;
  assert.ok(await publisher.flush(60_000));
  await publisher.close();
  const stats = publisher.stats();
  assert.equal(stats.stored + stats.duplicates, 2_000);
  assert.deepEqual([stats.conflicts, stats.refused, stats.waiting], [0, 0, 0]);
  assert.equal(await server.stored(), 2_000);
});

test("a spool outlives the publisher that filled it, and belongs to one at a time", async () => {
  await using server = await Server.stopped();
  const directory = join(server.directory, "spool");
  const spool = new DirectorySpool(directory);
  assert.throws(() => new DirectorySpool(directory), /uses the spool/);
  const first = new Publisher({ url: server.url, spool, batchEvents: 10 });
  for (let number = 0; number < 95; number += 1) {
    await first.publish({ topic: "orders", payload: { number }, eventId: String(number) });
  }
  await first.close(500);
  assert.equal(first.stats().spooled, 95);
  await server.start();
  const second = new Publisher({ url: server.url, spool: new DirectorySpool(directory) });
  assert.ok(await second.flush(30_000));
  await second.close();
  assert.equal(second.stats().stored, 95);
  assert.deepEqual(readdirSync(directory), []);
});

test("a spool has a limit, and what it does not take is told", async () => {
  await using server = await Server.stopped();
  const spool = new DirectorySpool(join(server.directory, "spool"), 1_300);
  const publisher = new Publisher({ url: server.url, spool, batchEvents: 5 });
  for (let number = 0; number < 20; number += 1) {
    await publisher.publish({ topic: "orders", payload: { number, text: "x".repeat(20) }, eventId: String(number) });
  }
  await assert.rejects(publisher.close(300), (error: unknown) => error instanceof NotPublished && error.count === 15);
  assert.equal(publisher.stats().spooled, 5);
});

test("refused events are named and hold nothing up", async () => {
  await using server = await Server.running();
  const refused: RefusedEvent[] = [];
  const publisher = new Publisher({ url: server.url, onRefused: (one) => refused.push(one) });
  await publisher.publish({ topic: "orders", payload: {}, eventId: "good" });
  await publisher.publish({ topic: "orders", payload: {}, eventId: "bad", timestamp: "yesterday at noon" });
  let deep: object = {};
  for (let level = 0; level < 70; level += 1) deep = { deep };
  await publisher.publish({ topic: "orders", payload: deep, eventId: "deep" });
  assert.ok(await publisher.flush(30_000));
  await publisher.close();
  assert.deepEqual([publisher.stats().stored, publisher.stats().refused], [1, 2]);
  assert.deepEqual(refused.map((one) => one.event["event_id"]).sort(), ["bad", "deep"]);
});

test("an event that the server would refuse is refused at once", async () => {
  const publisher = new Publisher({ url: "http://127.0.0.1:1" });
  const event = { topic: "t", payload: {} };
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const wrong = [
    { ...event, topic: "" },
    { ...event, topic: "$conflicts" },
    { ...event, topic: "é".repeat(128) },
    { ...event, eventId: "a\u0000b" },
    { ...event, source: "\u0085" },
    { ...event, payload: [] },
    { ...event, payload: cyclic },
    { ...event, payload: new Date() },
    { ...event, payload: { text: "x".repeat(1024 * 1024) } },
    { ...event, timestamp: new Date(Number.NaN) },
  ];
  for (const one of wrong) await assert.rejects(publisher.publish(one), InvalidEvent);
  assert.equal(publisher.stats().waiting, 0);
  await publisher.close();
});

test("new ids are UUIDs of version 7 that sort by time", () => {
  const ids = Array.from({ length: 100 }, newEventId);
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const times = ids.map((id) => id.slice(0, 13));
  assert.deepEqual(times, times.toSorted());
});

test("records of pino become events", async () => {
  await using server = await Server.running();
  const stream = transport({ url: server.url, topic: "app.log", source: "test" });
  const logger = pino({ base: null }, stream);
  logger.info({ order: 5 }, "stored");
  logger.error(new Error("no such order"));
  const finished = new Promise((resolve) => stream.once("finish", resolve));
  stream.end("no record\n");
  await finished;
  const events = [];
  for await (const event of new Client({ url: server.url }).events({ topic: "app.log" })) events.push(event);
  assert.deepEqual(events.map((event) => event.payload["msg"]), ["stored", "no such order", "no record"]);
  assert.equal(events[0]?.payload["order"], 5);
  assert.equal(new Date(events[0]?.timestamp ?? 0).getTime(), events[0]?.payload["time"]);
  assert.equal(events[0]?.source, "test");
});
