// Chromium, and pages that complain: an error on the console, a request to anywhere else, or text
// that became markup fails the test.

import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const SHOTS = new URL("./shots/", import.meta.url).pathname;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser;
/** One browser for a file of tests. */
export async function launch() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
  return browser;
}

export async function close() {
  await browser?.close();
  browser = undefined;
}

/** A page of `server` in a new profile. `expect` are texts of console errors that the test causes. */
export async function visit(server, path, { width = 1366, height = 768, dark = false, expected = [], key, init } = {}) {
  const context = await (
    await launch()
  ).newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
    hasTouch: width < 500,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !expected.some((known) => text.includes(known)))
      problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  page.on("dialog", (dialog) => (problems.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.url}/`) && !url.startsWith("data:") && !url.startsWith("blob:"))
      problems.push(`asked ${url}`);
  });
  if (key) await page.addInitScript((text) => sessionStorage.setItem("sekali.key", text), key);
  if (init) await page.addInitScript(init);
  await page.goto(server.url + path);
  return Object.assign(page, {
    problems,
    /** Ends the visit: nothing may have gone wrong. */
    async leave() {
      assert.deepEqual(problems, []);
      await context.close();
    },
    async shot(name) {
      mkdirSync(SHOTS, { recursive: true });
      await page.screenshot({ path: `${SHOTS}${name}.png` });
    },
    /** No serious finding of axe. */
    async accessible() {
      // Not as a script element, which the policy of the page forbids.
      await page.evaluate(readFileSync(AXE, "utf8"));
      const findings = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
        return violations
          .filter(({ impact }) => ["serious", "critical"].includes(impact))
          .map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .slice(0, 3)
                .map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`)
                .join(" | ")}`,
          );
      });
      assert.deepEqual(findings, []);
    },
  });
}

/** Waits until the text of an element matches. */
export async function sees(page, selector, pattern) {
  await page
    .waitForFunction(
      ([where, source, flags]) =>
        [...document.querySelectorAll(where)].some((element) => new RegExp(source, flags).test(element.textContent)),
      [selector, pattern.source, pattern.flags],
    )
    .catch(async (error) => {
      const texts = await page.locator(selector).allTextContents();
      throw new Error(`${selector} never matched ${pattern}: ${JSON.stringify(texts).slice(0, 600)}`, { cause: error });
    });
}
