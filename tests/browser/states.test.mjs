// States of the server: away, stopped, read only, damaged, busy; and keys.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, access, many } from "./server.mjs";

after(close);

const json = (status, body, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

test("a server that goes away is told, and the figures are back when it is", async () => {
  const server = await Server.start();
  await server.publish(many(10));
  const page = await visit(server, "/", { expected: ["ERR_"] });
  await sees(page, "h1", /10 events received/);
  await server.down("SIGKILL");
  await sees(page, "#state", /not reached/);
  await sees(page, "#banner", /last ones known/);
  await sees(page, "h1", /10 events received/);
  await page.shot("overview-disconnected");
  await server.again();
  await server.publish(many(1, 50));
  await sees(page, "h1", /11 events received/);
  await sees(page, "#state", /ready/);
  assert.equal(await page.locator("#banner").isVisible(), false);
  await page.leave();
  await server.stop();
});

test("read only, damaged and stopped servers say what to do", async () => {
  const server = await Server.start();
  await server.publish(many(10));
  const stats = await (await fetch(`${server.url}/stats`)).json();
  for (const [status, damage, pattern] of [
    ["read_only", [], /too little free space.*ends by itself/],
    ["degraded", ["events 5 to 7 of partition 0 cannot be read"], /damaged.*events 5 to 7.*sekali verify/],
    ["stopped", [], /stopped taking events.*acknowledged is safe/],
  ]) {
    const page = await visit(server, "/favicon.none", { expected: ["404", "503"] });
    await page.route("**/stats", (route) => route.fulfill(json(200, { ...stats, status, damage })));
    await page.route("**/readyz", (route) => route.fulfill(json(status === "stopped" ? 503 : 200, { status, damage })));
    await page.goto(`${server.url}/`);
    await sees(page, "#banner", pattern);
    await page.accessible();
    await page.shot(`overview-${status}`);
    await page.leave();
  }
  await server.stop();
});

test("a busy server is met with patience, and told if it stays busy", async () => {
  const server = await Server.start();
  await server.publish(many(30));
  const busy = json(
    503,
    { code: "overloaded", message: "too much is in progress", errors: [] },
    { "retry-after": "0" },
  );
  const page = await visit(server, "/favicon.none", { expected: ["404", "503"] });
  let refusals = 0;
  await page.route("**/events?*", (route) => (refusals++ < 2 ? route.fulfill(busy) : route.continue()));
  await page.goto(`${server.url}/explore`);
  await sees(page, ".rows", /host-/);
  refusals = -1000;
  await page.goto(`${server.url}/explore?source=host-1`);
  await sees(page, ".more", /busy.*Nothing is lost.*Try again/);
  await page.shot("explore-overloaded");
  refusals = 1000;
  await page.getByRole("button", { name: "Try again" }).click();
  await sees(page, ".rows", /host-1/);
  await page.leave();
  await server.stop();
});

test("a key is asked for once, a wrong one is told, a right one opens, and it is in no address", async () => {
  const server = await Server.start({
    keys: [
      ["--scope", "read,publish", "--topics", "web.*"],
      ["--scope", "publish", "--topics", "*"],
    ],
  });
  const [reader, publisher] = server.keys;
  await server.publish(many(10), publisher);
  const page = await visit(server, "/explore", { expected: ["401", "403"] });
  await sees(page, "dialog", /asks for a key/);
  await page.accessible();
  await page.shot("key-entry");
  await page.getByLabel("API key").fill("sekali_nobody");
  await page.getByRole("button", { name: "Use key" }).click();
  await sees(page, "dialog", /not valid here/);
  await page.getByLabel("API key").fill(publisher);
  await page.getByRole("button", { name: "Use key" }).click();
  await sees(page, ".more", /does not have the scope `read`/);
  await page.getByRole("button", { name: "Use another key" }).click();
  await page.getByLabel("API key").fill(reader);
  await page.keyboard.press("Enter");
  await sees(page, ".rows", /host-/);
  assert.ok(!(await page.content()).includes(reader) && !page.url().includes(reader));
  assert.equal(
    await page.evaluate((key) => JSON.stringify({ ...localStorage }).includes(key) || document.cookie !== "", reader),
    false,
  );
  // A key for some topics sees the counters of the store, and no more of it.
  await page.goto(`${server.url}/`);
  await sees(page, "h1", /10 events received/);
  await sees(page, "table", /web\.access/);
  await page.goto(`${server.url}/integrity`);
  await sees(page, "h1", /adds up/);
  await page.leave();
  await server.stop();
});
