// The page of one event, and integrity.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, access, many } from "./server.mjs";

let server;
const order = (id, payload, source = "pos-3") => ({
  topic: "orders",
  event_id: id,
  timestamp: "2026-01-01T10:00:00Z",
  source,
  payload,
});
before(async () => {
  server = await Server.start();
  await server.publish(many(60));
});
after(async () => {
  await server.stop();
  await close();
});

test("an event has a page of its own, with where it comes from and what was stored around it", async () => {
  for (const [name, options] of [
    ["light", {}],
    ["dark", { dark: true }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    const page = await visit(server, "/event/web.access/id-30", options);
    await sees(page, ".detail-card", /duration_ms.*210/s);
    await sees(page, ".facts", /happened2026-01-01 12:00:30 UTC.*conflictsnone/s);
    await sees(page, "#around", /id-|host-/);
    await page.accessible();
    await page.shot(`event-${name}`);
    await page.leave();
  }
});

test("what is around an event can be narrowed to the same source or member, and linked", async () => {
  const page = await visit(server, "/event/web.access/id-30");
  await sees(page, "#around .rows", /host-1/);
  assert.equal(await page.locator("#around .row:not(.head)").count(), 21);
  await page.locator("#around").getByRole("button", { name: "source" }).click();
  await page.waitForURL(/same=source/);
  await page.waitForFunction(
    () => ![...document.querySelectorAll("#around .row:not(.head)")].some((row) => row.textContent.includes("host-1")),
  );
  assert.equal(await page.locator('#around .row[aria-current="true"]').count(), 1);
  await page.locator("#around .row:not(.head)").first().focus();
  await page.keyboard.press("Enter");
  await sees(page, "#around .detail", /arrived after/);
  await page.leave();
});

test("an event that is sent again from its page is a repeat", async () => {
  const page = await visit(server, "/event/web.access/id-31");
  await page.getByRole("button", { name: "Send it again" }).click();
  await sees(page, "[role=status]", /A repeat\. Nothing was stored twice/);
  await page.leave();
});

test("a link to an event that is not there says whether it can have been", async () => {
  const page = await visit(server, "/event/web.access/nothing%20like%20it");
  await sees(page, "#main", /No event with this id was ever stored here/);
  await page.leave();
  const short = await Server.start({ args: ["--retain-age", "1s"] });
  await short.publish([access(1)]);
  const other = await visit(short, "/event/web.access/id-1");
  for (let turn = 0; turn < 60; turn++) {
    const { expired } = await (await fetch(`${short.url}/stats`)).json();
    if (expired.events) break;
    await other.waitForTimeout(1_500);
  }
  await other.reload();
  await sees(other, "#main", /not stored any more, or never was.*1 event of this store has expired/s);
  await other.shot("event-expired");
  await other.leave();
  await short.stop();
});

test("without conflicts, integrity is praise", async () => {
  const page = await visit(server, "/integrity");
  await sees(page, "h1", /61 received = 60 stored \+ 1 repeat\. It adds up/);
  await sees(page, "#main", /No conflict, ever\. 1 repeat came/);
  await page.accessible();
  await page.leave();
});

test("conflicts are side by side, with the member that makes retries conflict", async () => {
  const base = { total: 9.5, currency: "EUR", user: { plan: "pro" } };
  for (let at = 0; at < 4; at++) {
    await server.publish(order(`${at}`, { ...base, sent_at: `10:0${at}`, attempt: 1 }));
    await server.publish(order(`${at}`, { ...base, total: at ? 9.5 : 12, sent_at: `11:0${at}`, attempt: 2 }));
  }
  for (const [name, options] of [
    ["light", {}],
    ["dark", { dark: true }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    const page = await visit(server, "/integrity", options);
    await sees(page, "h1", /5 repeats?, 4 of them with other content/);
    await sees(page, ".advice", /4 of 4 differ in .*(sent_at|attempt).*leave it out of the payload/s);
    await sees(page, ".conflict .diff", /total: 9\.5.*total: 12.*equal members/s);
    assert.equal(await page.locator(".conflict").count(), 4);
    await page.accessible();
    await page.shot(`integrity-${name}`);
    await page.leave();
  }
  const page = await visit(server, "/integrity");
  await page.getByRole("link", { name: "orders / 0" }).click();
  await sees(page, ".conflict", /with other content.*total: 12/s);
  await page.leave();
});

test("who says something else under a known id is told", async () => {
  const page = await visit(server, "/integrity");
  await sees(page, "table", /orders.*pos-3.*4.*100%/s);
  await page.leave();
});

test("who sends again is told with how late, and so are events without an id", async () => {
  const own = await Server.start();
  const page = await visit(own, "/integrity");
  await sees(page, "#main", /Nobody has sent anything again/);
  await own.publish(many(20));
  await own.publish(many(6));
  await sees(page, "[aria-label='Senders'] tbody", /web\.access.*host-0.*2.*29%.*most within 1 s/s);
  await sees(page, ".kinds", /100% retries/);
  assert.equal(await page.getByText("Where ids come from").isVisible(), false);
  await fetch(`${own.url}/ingest?topic=app`, { method: "POST", body: '{"a": 1}\n{"a": 2}\n' });
  await sees(page, "[aria-label='Ways in'] tbody", /ingest.*2/s);
  await sees(page, ".advice", /2 events came without any id.*stored again/s);
  await page.accessible();
  await page.shot("integrity-senders");
  await page.goto(`${own.url}/`);
  await sees(page, "h1", /2 came without an id since the start/);
  await page.leave();
  await own.stop();
});
