// The page of the API: made from /openapi.json, searched, linked to, copied from.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, sees, visit } from "./browser.mjs";
import { Server, many } from "./server.mjs";

let server;
before(async () => {
  server = await Server.start();
  await server.publish(many(10));
});
after(async () => {
  await server.stop();
  await close();
});

test("every route of the document is on the page", async () => {
  const doc = await (await fetch(`${server.url}/openapi.json`)).json();
  const routes = Object.entries(doc.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()}${path}`),
  );
  const page = await visit(server, "/docs");
  await sees(page, "h1", /The API/);
  await sees(page, ".route h3", /events/);
  const shown = await page.locator(".route h3").allTextContents();
  assert.deepEqual(shown.toSorted(), routes.toSorted());
  // Each anchor is there once, and each link of the list leads to one.
  const broken = await page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
    const lost = [...document.querySelectorAll("a[href^='#']")]
      .map((link) => link.getAttribute("href").slice(1))
      .filter((id) => !ids.includes(id));
    return [...twice, ...lost];
  });
  assert.deepEqual(broken, []);
  assert.match(shown[0], /publish/);
  await page.accessible();
  await page.shot("docs");
  await page.leave();
});

test("a route is found by its name, its parameters and its errors, and the address has the search", async () => {
  const page = await visit(server, "/docs");
  await sees(page, ".route h3", /events/);
  const visible = () => page.locator(".route:visible h3").allTextContents();
  await page.keyboard.press("/");
  await page.keyboard.type("dry_run");
  assert.deepEqual(await visible(), ["POST/publish"]);
  await page.getByRole("searchbox").fill("ack_behind");
  assert.deepEqual(await visible(), ["POST/consumers/{name}/ack"]);
  assert.match(page.url(), /q=ack_behind/);
  await page.reload();
  await sees(page, ".route:not([hidden]) h3", /ack/);
  assert.deepEqual(await visible(), ["POST/consumers/{name}/ack"]);
  await page.getByRole("searchbox").fill("no such thing");
  await sees(page, ".docs-body", /No route has “no such thing”/);
  await page.keyboard.press("Escape");
  assert.ok((await visible()).length > 60);
  await page.leave();
});

test("a command is made of what is filled in, and it works", async () => {
  const page = await visit(server, "/docs#get-events-count");
  await sees(page, "#get-events-count", /count/);
  const route = page.locator(".route", { has: page.locator("#get-events-count") });
  assert.ok(await route.evaluate((box) => box.getBoundingClientRect().top < 200));
  await route.getByLabel("by of Count events").fill("payload.status");
  await route.getByLabel("top of Count events").fill("1");
  await route.getByRole("button", { name: "Copy" }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(command, `curl '${server.url}/events/count?by=payload.status&top=1'`);
  const answer = await (await fetch(command.slice(6, -1))).json();
  assert.deepEqual(answer.groups, [{ key: [200], count: 6 }]);
  const publish = page.locator(".route", { has: page.locator("#post-publish") });
  assert.match(
    await publish.locator(".copy code").textContent(),
    /content-type: application\/json' -d '\{"topic":"demo"/,
  );
  await publish.getByLabel("Media type of Store events").selectOption({ label: "application/x-ndjson" });
  assert.match(await publish.locator(".copy code").textContent(), /x-ndjson/);
  await page.leave();
});

test("the keyboard goes from route to route, and links lead to shapes and errors", async () => {
  const page = await visit(server, "/docs#get-events");
  await sees(page, "#get-events", /events/);
  await page.keyboard.press("j");
  assert.match(page.url(), /#get-events-count$/);
  await page.keyboard.press("k");
  assert.match(page.url(), /#get-events$/);
  await page.locator("a[href='#shape-Count']").first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "shape-Count");
  await page.goto(`${server.url}/docs#error-overloaded`);
  await sees(page, "#error-overloaded", /503.*after 1 s/);
  await page.leave();
});

test("the page needs no key, and names it in commands where there is one", async () => {
  const own = await Server.start({ keys: [["--scope", "read", "--topics", "*"]] });
  const page = await visit(own, "/docs#get-stats", { dark: true });
  await sees(page, "#get-stats", /stats/);
  assert.equal(await page.locator("dialog").count(), 0);
  await page.accessible();
  await page.shot("docs-dark");
  await page.leave();
  const other = await visit(own, "/docs", { key: own.keys[0] });
  await sees(other, ".route .copy code", /curl '.*\/stats' -H "authorization: Bearer \$SEKALI_KEY"/);
  assert.ok(!(await other.content()).includes(own.keys[0]));
  await other.leave();
  await own.stop();
});

test("a document that cannot be had is told, and the page fits a phone", async () => {
  const page = await visit(server, "/favicon.none", { expected: ["404", "503"], width: 390, height: 844 });
  let isAway = true;
  const refusal = {
    status: 503,
    contentType: "application/json",
    body: '{"code":"shutting_down","message":"","errors":[]}',
  };
  await page.route("**/openapi.json", (route) => (isAway ? route.fulfill(refusal) : route.continue()));
  await page.goto(`${server.url}/docs`);
  await sees(page, ".docs-body", /shutting down/);
  isAway = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await sees(page, ".route h3", /publish/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.shot("docs-phone");
  await page.leave();
});
