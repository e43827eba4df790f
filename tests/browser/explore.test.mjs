// The explorer: what is in here, and what is different?

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, access, many } from "./server.mjs";

let server;
before(async () => {
  server = await Server.start();
  await server.publish(many(1_000));
});
after(async () => {
  await server.stop();
  await close();
});

const query = (page) => Object.fromEntries(new URL(page.url()).searchParams);

test("the first look shows events, bars and fields, and twenty events fit a small screen", async () => {
  for (const [name, options] of [
    ["light", {}],
    ["dark", { dark: true }],
    ["phone", { width: 390, height: 844 }],
    ["720", { width: 720 }],
  ]) {
    const page = await visit(server, "/explore", options);
    await sees(page, ".rows", /host-3/);
    await sees(page, ".summary", /1,000/);
    if (options.width === undefined) {
      await sees(page, ".fields", /status.*200.*60%/s);
      const seen = await page.evaluate(
        () =>
          [...document.querySelectorAll(".row:not(.head)")].filter(
            (row) => row.getBoundingClientRect().bottom <= innerHeight,
          ).length,
      );
      assert.ok(seen >= 20, `${seen} events are visible`);
    }
    await page.accessible();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, name);
    await page.shot(`explore-${name}`);
    await page.leave();
  }
});

test("values are included and excluded by a click, and every view is a link", async () => {
  const page = await visit(server, "/explore?topic=web.access");
  await sees(page, ".fields", /status/);
  await page.locator(".v", { hasText: "500" }).first().hover();
  await page.getByRole("button", { name: "only status 500" }).first().click();
  await sees(page, ".chips", /status500/);
  await sees(page, ".summary", /200 of 1,000/);
  assert.equal(query(page)["payload.status"], "500");
  await page.getByRole("button", { name: "without source host-1" }).first().click({ force: true });
  await sees(page, ".chips", /not sourcehost-1/);
  await sees(page, ".summary", /150 of 1,000/);
  const rows = await page.locator(".row:not(.head)").allTextContents();
  assert.ok(rows.every((text) => text.includes("500") && !text.includes("host-1")));
  const other = await visit(server, page.url().slice(server.url.length));
  await sees(other, ".summary", /150 of 1,000/);
  await other.leave();
  await page.goBack();
  await sees(page, ".summary", /200 of 1,000/);
  await page.getByRole("button", { name: "remove filter payload.status" }).click();
  await sees(page, ".summary", /^1,000/);
  await page.leave();
});

test("a line of text says the same as the address: fields, ranges, expressions, text", async () => {
  const page = await visit(server, "/explore");
  await sees(page, ".rows", /host/);
  await page.keyboard.press("/");
  await page.keyboard.type('status!=200 duration_ms>=100 duration_ms<200 path~^/s "a b"');
  await page.keyboard.press("Enter");
  await sees(page, ".summary", / of 1,000/);
  assert.deepEqual(query(page), {
    "not.payload.status": "200",
    "min.payload.duration_ms": "100",
    "below.payload.duration_ms": "200",
    "match.payload.path": "^/s",
    q: "a b",
  });
  const expected = many(1_000).filter(
    ({ payload }) =>
      payload.status !== 200 &&
      payload.duration_ms >= 100 &&
      payload.duration_ms < 200 &&
      payload.path.startsWith("/s"),
  );
  await sees(page, ".summary", new RegExp(`^${expected.length} of`));
  await page.getByTitle("edit").filter({ hasText: "duration_ms≥" }).click();
  assert.equal(await page.getByRole("searchbox", { name: "Search" }).inputValue(), "min.payload.duration_ms=100");
  await page.getByRole("searchbox", { name: "Search" }).fill("duration_ms>=150");
  await page.keyboard.press("Enter");
  await page.waitForURL(/min\.payload\.duration_ms=150/);
  await page.leave();
});

test("a refused filter has the server's reason on its chip", async () => {
  const page = await visit(server, "/explore?match.payload.path=%28&source=host-1", { expected: ["400"] });
  await sees(page, ".chip.refused", /match|path/);
  assert.match(await page.locator(".chip.refused .why").textContent(), /\w/);
  await page.leave();
});

test("what leaves nothing is named, with what there would be without it", async () => {
  const page = await visit(server, "/explore?source=host-1&payload.status=999");
  await sees(page, ".more", /No event matches.*Without status there are 250 events/s);
  await page.shot("explore-nothing");
  await page.getByRole("button", { name: "Without status" }).click();
  await sees(page, ".summary", /250 of 1,000/);
  await page.goto(`${server.url}/explore?since=2027-01-01`);
  await sees(page, ".more", /At all times there are 1,000 events.*The newest one is of 2026-01-01 12:16:39/s);
  await page.leave();
});

test("a range is brushed, a bar is clicked, and the times stand in the address", async () => {
  const page = await visit(server, "/explore?by=payload.status");
  await sees(page, ".hist .key", /200.*404.*500/s);
  const box = await page.locator(".hist .u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/since=/);
  await sees(page, ".summary", /^2[0-9]{2} of 1,000/);
  const { since, until } = query(page);
  assert.ok(since > "2026-01-01T12:03" && until < "2026-01-01T12:10", `${since} ${until}`);
  await sees(page, ".chips, .bar", /2026-01-01T12:0\d/);
  await page.getByRole("button", { name: "as table" }).click();
  await page.locator(".as-table button").first().click();
  await page.waitForFunction((before) => new URL(location.href).searchParams.get("until") !== before, until);
  await page.leave();
});

test("columns are added, removed and linked", async () => {
  const page = await visit(server, "/explore?topic=web.access");
  await sees(page, ".row.head", /source.*status/s);
  await page.locator(".row.head > span", { hasText: "method" }).hover();
  await page.getByRole("button", { name: "remove column method" }).click();
  await page.waitForFunction(() => !document.querySelector(".row.head").textContent.includes("method"));
  await page.locator(".f", { hasText: "method" }).hover();
  await page.getByRole("button", { name: "column for method" }).first().click();
  await sees(page, ".row.head", /method×$/);
  assert.match(query(page).columns, /,payload\.method$/);
  await page.leave();
});

test("rows go on while scrolling, to the first event", async () => {
  const page = await visit(server, "/explore");
  await sees(page, ".rows", /host/);
  for (let turn = 0; turn < 100 && (await page.locator(".row:not(.head)").count()) < 1_000; turn++) {
    await page.mouse.wheel(0, 20_000);
    await page.waitForTimeout(100);
  }
  await sees(page, ".more", /That is all: 1,000 events/);
  assert.equal(await page.locator(".row:not(.head)").count(), 1_000);
  await page.leave();
});

test("an opened event has its members, JSON, curl and links, and all of it by keyboard", async () => {
  const page = await visit(server, "/explore?topic=web.access");
  await sees(page, ".rows", /host/);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await sees(page, ".detail", /event_id.*id-998.*arrived after/s);
  await page.accessible();
  await page.shot("explore-open");
  await page.keyboard.press("j");
  await sees(page, ".detail", /id-997/);
  assert.equal(await page.locator(".detail").count(), 1);
  await page.getByRole("button", { name: "JSON" }).click();
  await sees(page, ".detail pre", /"event_id": "id-997"/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".detail").count(), 0);
  await page.keyboard.press("d");
  await page.keyboard.press("k");
  await page.keyboard.press("d");
  await sees(page, "dialog", /What differs.*duration_ms/s);
  await page.accessible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("y");
  await sees(page, "#toast", /link copied/);
  await page.keyboard.press("?");
  await sees(page, "dialog", /follow new events/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("[");
  assert.equal(await page.locator(".fields").isVisible(), false);
  await page.keyboard.press("[");
  await page.keyboard.press("t");
  await sees(page, ".menu", /last 24 h/);
  await page.getByLabel("from, UTC").fill("1767268800");
  await page.keyboard.press("Enter");
  await page.waitForURL(/since=2026-01-01T12%3A00%3A00Z/);
  await page.keyboard.press("c");
  await page.waitForURL(/\/event\/web\.access\/id-/);
  await page.leave();
});

test("times are UTC or local, and say which", async () => {
  const page = await visit(server, "/explore");
  await sees(page, ".bar", /UTC/);
  await page.keyboard.press("z");
  await page.waitForURL(/zone=local/);
  await page.leave();
});

test("events are followed across a restart of the server, and a pause says how many wait", async () => {
  const page = await visit(server, "/explore?topic=live&follow=1", { expected: ["ERR_", "503"] });
  await sees(page, ".follow-bar", /following/);
  await server.publish([{ ...access(1), topic: "live", event_id: "first" }]);
  await sees(page, ".rows", /id-|host-1/);
  await server.down();
  await sees(page, ".follow-bar", /does not answer/);
  await server.again();
  await server.publish([{ ...access(2), topic: "live", event_id: "second", source: "after-restart" }]);
  await sees(page, ".rows", /after-restart/);
  await page.getByRole("button", { name: "Pause" }).click();
  await server.publish([{ ...access(3), topic: "live", event_id: "third", source: "while-paused" }]);
  await sees(page, ".follow-bar", /paused · 1 new event/);
  assert.equal(await page.locator(".row", { hasText: "while-paused" }).count(), 0);
  await page.accessible();
  await page.getByRole("button", { name: "Resume" }).click();
  await sees(page, ".rows", /while-paused/);
  const sources = await page.locator(".row:not(.head)").allTextContents();
  assert.equal(sources.length, 3, sources.join("\n"));
  await page.shot("explore-follow");
  await page.leave();
});

test("a number keeps its digits", async () => {
  await server.publish([{ ...access(1), topic: "exact", event_id: "1", payload: { big: 1, list: [] } }]);
  await fetch(`${server.url}/publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"topic":"exact","event_id":"2","timestamp":"2026-01-01T00:00:00Z","source":"","payload":{"big":12345678901234567890.10}}',
  });
  const page = await visit(server, "/explore?topic=exact&event_id=2");
  await sees(page, ".rows", /12345678901234567890\.10/);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.locator(".detail .v", { hasText: "big" }).hover();
  await page.getByRole("button", { name: "only big 12345678901234567890.10" }).click();
  await sees(page, ".summary", /^1 of/);
  await page.leave();
});

test("what is different about these events is told against all of the same topic", async () => {
  const page = await visit(server, "/explore?topic=web.access");
  await sees(page, ".fields", /status/);
  assert.equal(await page.getByRole("button", { name: "what is different here?" }).isVisible(), false);
  await page.goto(`${server.url}/explore?topic=web.access&payload.status=500`);
  await page.getByRole("button", { name: "what is different here?" }).click();
  await sees(page, ".fields", /compared with [\d,]+; the mark is their share/);
  assert.match(page.url(), /compare=1/);
  // Nothing differs more than what was asked for.
  assert.match(await page.locator(".f .name").first().textContent(), /status/);
  assert.match(await page.locator(".f .v").first().getAttribute("title"), /500: .*100% of these and \d+% of all/);
  await page.accessible();
  await page.shot("explore-compare");
  await page.leave();
});
