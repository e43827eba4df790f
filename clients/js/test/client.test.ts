import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, type Event, Refused, Unavailable } from "../src/index.js";
import { Server } from "./server.js";

function orders(from: number, to: number): Event[] {
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    return { topic: "orders", payload: { number, even: number % 2 === 0 }, eventId: String(number) };
  });
}

test("a batch is published and its repeat is known", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  assert.equal((await client.publish(orders(0, 100))).stored, 100);
  const again = await client.publish(orders(0, 101));
  assert.deepEqual([again.stored, again.duplicates, again.conflicts], [1, 100, 0]);
});

test("events are read with filters", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  await client.publish(orders(0, 50));
  const even = [];
  for await (const event of client.events({ topic: "orders", "payload.even": true })) even.push(event.payload["number"]);
  assert.deepEqual(even, Array.from({ length: 25 }, (_, index) => index * 2));
  assert.equal((await client.get("orders", "7"))?.payload["number"], 7);
  assert.equal(await client.get("orders", "none"), undefined);
  assert.equal((await client.count({ "payload.even": [true, false] })).count, 50);
  assert.equal((await client.count({ by: "payload.even" })).groups?.[0]?.count, 25);
  assert.equal((await client.stats("payload.number"))["max"], 49);
  assert.equal((await client.serverStats())["unique_processed"], 50);
});

test("refusals name what is wrong, and an absent server is unavailable", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  await assert.rejects(client.count({ colour: "red" }), (error: unknown) => {
    return error instanceof Refused && error.status === 400 && error.message.includes("colour");
  });
  const wrong = [{ topic: "t", payload: {}, timestamp: "noon" }];
  await assert.rejects(client.publish(wrong), /event 0 timestamp/);
  await server.kill();
  await assert.rejects(client.publish(orders(0, 1), 200), Unavailable);
  await assert.rejects(client.count(), Unavailable);
});

test("a tail goes on without gap or repeat over a killed server", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  const seen: unknown[] = [];
  let isOpen = false;
  const tail = (async () => {
    for await (const event of client.tail({ topic: "orders" })) {
      isOpen = true;
      if (event.event_id.startsWith("start")) continue;
      seen.push(event.payload["number"]);
      if (seen.length === 300) return;
    }
  })();
  for (let attempt = 0; !isOpen; attempt += 1) {
    await client.publish([{ topic: "orders", payload: {}, eventId: `start ${attempt}` }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (let from = 0; from < 300; from += 10) {
    await client.publish(orders(from, from + 10));
    if (from === 150) {
      await server.kill();
      await server.start();
    }
  }
  await tail;
  assert.deepEqual(seen, Array.from({ length: 300 }, (_, number) => number));
});

test("a statement of SQL is answered with rows", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  await client.publish(orders(0, 20));
  const statement = "SELECT count(*) AS n FROM events WHERE topic = ? AND payload ->> 'number' < ?";
  const answer = await client.sql(statement, ["orders", 5]);
  assert.deepEqual([answer.columns, answer.rows, answer.complete], [["n"], [[5]], true]);
  await assert.rejects(client.sql("DROP TABLE events"), Refused);
});

test("a consumer misses nothing over a killed server, and an unacknowledged batch comes again", async () => {
  await using server = await Server.running();
  const client = new Client({ url: server.url });
  await client.publish(orders(0, 300));
  const options = { filters: { topic: "orders", "payload.even": [true, false] }, limit: 40, wait: 200 };
  const seen: unknown[] = [];
  let restart: Promise<void> | undefined;
  for await (const batch of client.consume("mailer", options)) {
    seen.push(...batch.events.map((event) => event.payload["number"]));
    if (seen.length === 120) {
      await server.kill();
      restart = new Promise((resolve) => setTimeout(resolve, 500)).then(() => server.start());
    }
    if (seen.length === 300) break;
  }
  await restart;
  assert.deepEqual(seen, Array.from({ length: 300 }, (_, number) => number));
  const again = await client.consume("mailer", options).next();
  assert.deepEqual(again.value?.events.map((event: { event_id: string }) => event.event_id)[0], "280");
});
