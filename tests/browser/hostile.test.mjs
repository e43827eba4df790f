// Text of strangers is text, wherever it is shown: topic, id, source, names and values of members,
// filters of a link.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server } from "./server.mjs";

const SPELLS = [
  "<script>window.hit=1</script>",
  "<img src=x onerror=window.hit=1>",
  "<svg onload=window.hit=1>",
  "<svg><script>window.hit=1</script></svg>",
  '"><img src=x onerror=window.hit=1>',
  "'><img src=x onerror=window.hit=1>",
  "</textarea><img src=x onerror=window.hit=1>",
  "</script><script>window.hit=1</script>",
  "</style><script>window.hit=1</script>",
  "<iframe src=javascript:window.hit=1>",
  "<iframe srcdoc='<script>parent.hit=1</script>'>",
  "<a href=javascript:window.hit=1>x</a>",
  "javascript:window.hit=1",
  "data:text/html,<script>window.hit=1</script>",
  "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
  "<details open ontoggle=window.hit=1>",
  "<input autofocus onfocus=window.hit=1>",
  "<body onload=window.hit=1>",
  "<video><source onerror=window.hit=1>",
  "<marquee onstart=window.hit=1>",
  "<object data=javascript:window.hit=1>",
  "<embed src=javascript:window.hit=1>",
  "<base href=https://evil.example/>",
  "<link rel=stylesheet href=https://evil.example/x.css>",
  "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
  "<form action=https://evil.example><button autofocus>",
  "<img src=https://evil.example/x.png>",
  "<style>@import 'https://evil.example/x.css';</style>",
  "<style>*{background:url(https://evil.example/x)}</style>",
  "<div style=background:url(https://evil.example/y)>",
  "{{constructor.constructor('window.hit=1')()}}",
  "${window.hit=1}",
  "#{window.hit=1}",
  "<%= window.hit=1 %>",
  "`${window.hit=1}`",
  "');window.hit=1;//",
  '";window.hit=1;//',
  '\\";window.hit=1;//',
  "\u2028window.hit=1",
  "\u202Egnp.exe",
  "\u0000".replace("\u0000", "\uFFFD") + "<b>",
  "&lt;script&gt;window.hit=1&lt;/script&gt;",
  "&#60;img src=x onerror=window.hit=1&#62;",
  "%3Cscript%3Ewindow.hit=1%3C/script%3E",
  "<scr<script>ipt>window.hit=1</scr</script>ipt>",
  "<IMG SRC=x OnErRoR=window.hit=1>",
  "<img/src=x/onerror=window.hit=1>",
  "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "../../stats",
  "..",
  "a/b?c#d",
  "a b+c%20d",
  "*",
  "not.topic",
  "=cmd|' /C calc'!A0",
  "𝕏".repeat(60),
  "👩‍👩‍👧‍👦".repeat(10),
  "<!--",
  "]]>",
  "\\",
  "'",
  '"',
];

let server;
before(async () => {
  server = await Server.start();
  const events = SPELLS.map((spell, at) => ({
    topic: at % 2 ? "hostile" : spell.slice(0, 60),
    event_id: spell,
    timestamp: "2026-01-01T00:00:00Z",
    source: spell.slice(0, 60),
    payload: { text: spell, [spell]: "name", level: spell, nested: { [spell]: { [spell]: [spell] } }, status: 500 },
  }));
  await server.publish(events);
  await server.publish(
    events.slice(0, 12).map((event) => ({
      ...event,
      payload: { ...event.payload, text: `${event.payload.text} again`, [`${event.event_id}2`]: event.event_id },
    })),
  );
  // As text: an object literal would set the prototype.
  await fetch(`${server.url}/publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"topic":"hostile","event_id":"proto","timestamp":"2026-01-01T00:00:00Z","source":"","payload":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
  });
});
after(async () => {
  await server.stop();
  await close();
});

/** Nothing ran, nothing was loaded, and no element came out of a text. */
async function unharmed(page) {
  const found = await page.evaluate(() => ({
    hit: window.hit,
    polluted: {}.polluted,
    elements: document.querySelectorAll(
      "#main script, #main img, #main iframe, #main object, #main embed, #main style, #main link, #main base, #main meta, #main marquee, #main video, a[href^='javascript:'], a[href^='data:'], [onerror], [onload]",
    ).length,
    away: [...document.querySelectorAll("a[href]")]
      .filter((link) => link.origin !== location.origin)
      .map((link) => link.href),
  }));
  assert.deepEqual(found, { hit: undefined, polluted: undefined, elements: 0, away: [] });
}

test("in the explorer: rows, fields, bars, opened events, columns", async () => {
  const page = await visit(server, "/explore?by=payload.text");
  await sees(page, ".rows", /window\.hit/);
  await sees(page, ".fields", /level/);
  for (let at = 0; at < SPELLS.length; at++) {
    await page.keyboard.press("j");
    if (!at) await page.keyboard.press("Enter");
    if (at % 10 === 0) await page.getByRole("button", { name: "JSON" }).click();
  }
  await unharmed(page);
  for (const button of await page.locator(".f .name").all()) await button.click();
  await page.getByRole("button", { name: "all topics" }).click();
  await sees(page, ".menu", /hostile/);
  await unharmed(page);
  await page.leave();
});

test("in links: every parameter of the address", async () => {
  for (const spell of SPELLS.filter((_, at) => at % 4 === 0)) {
    const text = encodeURIComponent(spell);
    const page = await visit(
      server,
      `/explore?q=${text}&source=${text}&not.payload.x=${text}&by=payload.text&columns=payload.${text},${text}`,
      { expected: ["400"] },
    );
    await sees(page, ".chips", /not|source/);
    await page.waitForTimeout(100);
    await unharmed(page);
    await page.leave();
  }
});

test("on pages of events, whatever their topic and id are", async () => {
  const page = await visit(server, "/");
  await sees(page, "table", /hostile/);
  await unharmed(page);
  for (const [at, spell] of SPELLS.entries()) {
    const topic = at % 2 ? "hostile" : spell.slice(0, 60);
    if ([topic, spell].some((text) => text === "." || text === "..")) continue;
    await page.goto(`${server.url}/event/${encodeURIComponent(topic)}/${encodeURIComponent(spell)}`);
    await sees(page, ".detail-card", /text/);
    assert.equal(await page.locator("h1").textContent(), spell);
    await unharmed(page);
  }
  await page.leave();
});

test("in conflicts, side by side", async () => {
  const page = await visit(server, "/integrity");
  await sees(page, ".conflict .diff", /window\.hit/);
  await unharmed(page);
  await page.shot("integrity-hostile");
  await page.leave();
});

test("in who sends again, and in what differs", async () => {
  const page = await visit(server, "/integrity");
  await sees(page, "[aria-label='Senders']", /window\.hit/);
  await unharmed(page);
  await page.goto(`${server.url}/explore?topic=hostile&payload.level=${encodeURIComponent(SPELLS[1])}&compare=1`);
  await sees(page, ".fields", /compared with/);
  await unharmed(page);
  await page.leave();
});

test("in answers of SQL: names of columns, values, links, the history", async () => {
  const names = SPELLS.slice(0, 30).map((spell) => `1 AS "${spell.replaceAll('"', '""')}"`);
  const page = await visit(
    server,
    `/sql?sql=${encodeURIComponent(`SELECT topic, event_id, source, payload, ${names.join(", ")} FROM events ORDER BY seq`)}`,
  );
  await sees(page, ".answer tbody", /window\.hit/);
  await sees(page, ".answer thead", /onerror/);
  await unharmed(page);
  await page.getByRole("button", { name: "wrap long values" }).click();
  await page.getByRole("button", { name: "History ▾" }).click();
  await sees(page, ".menu", /onerror/);
  await unharmed(page);
  await page.shot("sql-hostile");
  await page.leave();
});

test("in statements of links, and in what the server says about them", async () => {
  for (const spell of SPELLS.filter((_, at) => at % 5 === 0)) {
    const page = await visit(server, `/sql?sql=${encodeURIComponent(spell)}&within=${encodeURIComponent(spell)}`, {
      expected: ["400"],
    });
    await sees(page, "#sql-problem", /./);
    await unharmed(page);
    await page.goto(`${server.url}/docs?q=${encodeURIComponent(spell)}#${encodeURIComponent(spell)}`);
    await sees(page, ".docs-body", /The API/);
    await unharmed(page);
    await page.leave();
  }
});

test("in what is followed, and in what is copied to a shell", async () => {
  const page = await visit(server, "/explore?topic=live&follow=1");
  await sees(page, ".follow-bar", /following/);
  await server.publish(
    SPELLS.map((spell, at) => ({
      topic: "live",
      event_id: `${at} ${spell}`,
      timestamp: "2026-01-01T00:00:00Z",
      source: spell.slice(0, 60),
      payload: { text: spell },
    })),
  );
  await sees(page, ".rows", /window\.hit/);
  await unharmed(page);
  await page.leave();
});
