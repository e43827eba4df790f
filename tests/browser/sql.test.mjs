// SQL: the editor, its rows, errors at their place, history, downloads, keys.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, many } from "./server.mjs";

let server;
before(async () => {
  server = await Server.start();
  await server.publish(many(60));
});
after(async () => {
  await server.stop();
  await close();
});

const link = (sql, more = "") => `/sql?sql=${encodeURIComponent(sql)}${more}`;

test("the first look says what can be asked, and an example answers", async () => {
  const page = await visit(server, "/sql");
  await sees(page, ".result", /One statement that reads/);
  await page.accessible();
  await page.shot("sql-empty");
  await page.getByRole("button", { name: "Topics by size" }).first().click();
  await sees(page, ".answer tbody", /web\.access/);
  await sees(page, ".summary", /1 row ·.*read/);
  assert.match(page.url(), /sql=SELECT/);
  await page.leave();
});

test("a statement is written, run by the keyboard, linked to, and gone back from", async () => {
  const page = await visit(server, "/sql");
  await page.keyboard.press("/");
  await page.keyboard.type("SELECT source, count(*) AS n, 1.5 AS half, null AS blank\nFROM events GROUP BY source");
  await page.keyboard.press("Control+Enter");
  await sees(page, ".answer thead", /source.*text.*n.*integer.*half.*real.*blank.*null/s);
  await sees(page, ".answer tbody", /host-0.*15.*1\.5.*null/s);
  const address = page.url();
  await page.getByLabel("Statement of SQL").fill("SELECT topic, event_id, payload FROM events ORDER BY seq LIMIT 3");
  await page.getByRole("button", { name: "Run" }).click();
  await sees(page, ".answer thead", /payload.*json/s);
  assert.equal(await page.locator(".answer tbody a").first().getAttribute("href"), "/event/web.access/id-0");
  await page.accessible();
  await page.shot("sql");
  await page.goBack();
  await sees(page, ".answer thead", /half/);
  assert.equal(page.url(), address);
  await page.getByRole("button", { name: "History ▾" }).click();
  await sees(page, ".menu", /SELECT topic, event_id.*3 rows/s);
  await page.keyboard.press("Escape");
  await page.leave();
  const other = await visit(server, "/sql");
  await other.getByRole("button", { name: "History ▾" }).click();
  await sees(other, ".menu", /Nothing was run in this tab/);
  await other.leave();
});

test("an error stands below the statement, with its place marked", async () => {
  const page = await visit(server, link("SELECT topic\nFORM events"), { expected: ["400"] });
  await sees(page, "#sql-problem", /Line 2, column 6.*syntax error.*FORM events/s);
  const picked = await page
    .getByLabel("Statement of SQL")
    .evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.equal(picked, "events");
  await page.accessible();
  await page.shot("sql-error");
  await page.getByLabel("Statement of SQL").fill("DELETE FROM events");
  await page.keyboard.press("Control+Enter");
  await sees(page, "#sql-problem", /read/);
  await page.getByLabel("Statement of SQL").fill("SELECT 1 AS one");
  await page.keyboard.press("Control+Enter");
  await sees(page, ".answer thead", /one/);
  assert.equal(await page.locator("#sql-problem").textContent(), "");
  await page.leave();
});

test("a statement without an end can be cancelled, and says so when its time is up", async () => {
  const forever = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n";
  const page = await visit(server, link(forever, "&within=60s"), { expected: ["422"] });
  await sees(page, ".summary", /running/);
  await page.shot("sql-running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await sees(page, ".summary", /Cancelled/);
  await page.getByLabel("Longest time").selectOption("1s");
  await page.getByRole("button", { name: "Run" }).click();
  await sees(page, "#sql-problem", /Try for 10 s/);
  await page.leave();
});

test("nothing found is said, and an answer that was cut short too", async () => {
  const page = await visit(server, link("SELECT topic FROM events WHERE topic = 'none'"));
  await sees(page, ".result", /No rows.*Columns: topic/s);
  await page.shot("sql-nothing");
  await page.goto(
    server.url + link("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200000) SELECT x FROM n"),
  );
  await sees(page, ".summary", /100,000 rows.*incomplete/);
  await sees(page, ".more", /500 of 100,000.*Show 500 more/);
  await page.getByRole("button", { name: "Show 500 more" }).click();
  await sees(page, ".more", /1,000 of 100,000/);
  await page.leave();
});

test("the whole answer is downloaded as CSV and as NDJSON", async () => {
  const page = await visit(
    server,
    link("SELECT event_id, payload ->> 'status' AS status FROM events ORDER BY seq LIMIT 2"),
  );
  await sees(page, ".answer", /id-1/);
  for (const [name, text] of [
    ["CSV", "event_id,status\r\nid-0,200\r\nid-1,200\r\n"],
    ["NDJSON", '{"event_id":"id-0","status":200}\n{"event_id":"id-1","status":200}\n'],
  ]) {
    await page.getByRole("button", { name: "Download ▾" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name, exact: true }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `answer.${name.toLowerCase()}`);
    assert.equal(readFileSync(await download.path(), "utf8"), text);
  }
  await page.leave();
});

test("a key that may not read is told, one for some topics sees those, and no address has it", async () => {
  const own = await Server.start({
    keys: [
      ["--scope", "read,publish", "--topics", "web.*"],
      ["--scope", "publish", "--topics", "*"],
    ],
  });
  const [reader, publisher] = own.keys;
  await own.publish(many(5), publisher);
  await own.publish([{ ...many(1)[0], topic: "hidden" }], publisher);
  const page = await visit(own, link("SELECT DISTINCT topic FROM events"), { expected: ["401", "403"] });
  await sees(page, "dialog", /asks for a key/);
  await page.getByLabel("API key").fill(publisher);
  await page.keyboard.press("Enter");
  await sees(page, ".result", /does not have the scope `read`/);
  await page.getByRole("button", { name: "Use another key" }).click();
  await page.getByLabel("API key").fill(reader);
  await page.keyboard.press("Enter");
  await sees(page, ".answer tbody", /web\.access/);
  assert.doesNotMatch(await page.locator(".answer").textContent(), /hidden/);
  assert.ok(!page.url().includes(reader));
  await page.leave();
  await own.stop();
});

test("rows fit a phone, and the dark", async () => {
  const page = await visit(server, link("SELECT source, count(*) AS n FROM events GROUP BY source"), {
    width: 390,
    height: 844,
    dark: true,
  });
  await sees(page, ".answer tbody", /host-1/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.accessible();
  await page.shot("sql-phone");
  await page.leave();
});
