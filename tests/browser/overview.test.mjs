// The overview: is the server taking my events, once?

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, access, many } from "./server.mjs";

let server;
before(async () => (server = await Server.start()));
after(async () => {
  await server.stop();
  await close();
});

test("an empty store says how to send the first event", async () => {
  const page = await visit(server, "/");
  await sees(page, "h1", /Nothing received yet/);
  await sees(page, ".ways", /sekali publish --count 5000/);
  await page.accessible();
  await page.shot("overview-empty");
  await page.leave();
});

test("publish and see it appear, send it again and see the repeat, change it and see the conflict", async () => {
  const page = await visit(server, "/");
  const area = page.locator("textarea");
  await area.fill(JSON.stringify(access(1)));
  await page.getByRole("button", { name: "Publish" }).click();
  await sees(page, "#outcome", /Stored as event 1/);
  await sees(page, "h1", /1 event received.*: 1 stored, each once/);
  await page.getByRole("button", { name: "Publish again" }).click();
  await sees(page, "#outcome", /A repeat of event 1/);
  await sees(page, "h1", /2 events received.*1 stored, each once, and 1 repeat recognised/);
  await area.fill(JSON.stringify({ ...access(1), payload: { total: 1 } }));
  await page.getByRole("button", { name: "Publish again" }).click();
  await sees(page, "#outcome", /A conflict with event 1/);
  await sees(page, "h1", /1 of those said something else under a known id/);
  await sees(page, "table", /web\.access/);
  // The bars have them too.
  await page.getByRole("button", { name: "as table" }).click();
  await sees(page, ".as-table", /new.*repeat.*conflict.*0\.1/s);
  await page.leave();
});

test("a mistake in the form is named", async () => {
  const page = await visit(server, "/", { expected: ["422", "400"] });
  await page.locator("textarea").fill('{"topic": "x"}');
  await page.getByRole("button", { name: "Publish" }).click();
  await sees(page, "#outcome", /not valid.*is missing/);
  await page.leave();
});

test("curl can be copied and is the request", async () => {
  const page = await visit(server, "/");
  await page.locator("textarea").fill(JSON.stringify({ ...access(7), source: "it's" }));
  await page.getByRole("button", { name: "Copy as curl" }).click();
  await sees(page, "#toast", /copied/);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(text.startsWith(`curl '${server.url}/publish'`) && text.includes(`"source":"it'\\''s"`), text);
  await page.leave();
});

test("figures, topics and states are those of the server, light, dark and narrow", async () => {
  await server.publish(many(400, 100));
  await server.publish(many(100, 100));
  for (const [name, options] of [
    ["light", {}],
    ["dark", { dark: true }],
    ["phone", { width: 390, height: 844 }],
    ["720", { width: 720 }],
  ]) {
    const page = await visit(server, "/", options);
    await sees(page, "h1", /501 events? received|50\d events received/);
    await sees(page, "#state", /ready/);
    await sees(page, "table", /web\.access.*401/s);
    await sees(page, ".facts", /log, not yet sealed.*[kM]B/s);
    await page.accessible();
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(isWide, false, `${name} scrolls sideways`);
    await page.shot(`overview-${name}`);
    await page.leave();
  }
});

test("everything is there without a second look at the server: one page, no other host, little weight", async () => {
  const page = await visit(server, "/");
  await sees(page, "h1", /received/);
  const { bytes, ready } = await page.evaluate(() => ({
    bytes: performance
      .getEntriesByType("resource")
      .filter(({ name }) => name.includes("/assets/"))
      .reduce((sum, one) => sum + one.encodedBodySize, 0),
    ready: performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  }));
  assert.ok(bytes > 20_000 && bytes < 100_000, `${bytes} bytes`);
  console.log(`overview: ${bytes} bytes of files, ready after ${Math.round(ready)} ms`);
  await page.leave();
});
