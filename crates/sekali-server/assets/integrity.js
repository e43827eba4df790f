// Integrity: does it add up, who sends again, and what are conflicts about?

import { ask, isAborted, query } from "./api.js";
import { Bars, legend } from "./chart.js";
import { showConflicts } from "./conflicts.js";
import { by, card, h, put } from "./dom.js";
import { ago, count, plural, share, short, span } from "./format.js";
import { onResume, showState, start, stateIsKnown, trouble } from "./shell.js";

const POLL_MS = 5_000;
const view = {
  sentence: h("h1", { class: "sentence" }, " "),
  who: card("s7", "Who sends again"),
  late: card("s5", "How late repeats come"),
  rates: card("", "Repeats a second"),
  conflicts: h("section", { class: "card" }),
};
view.chart = h("div", {});
const REPEATS = [
  { label: "repeat", color: "--dup" },
  { label: "conflict", color: "--conflict" },
];
put(view.rates, h("h2", {}, "Repeats a second", h("span", {}, "last 15 min"), legend(REPEATS)), view.chart);
const bars = new Bars(view.chart, { height: 110, label: "Repeats and conflicts a second over the last 15 minutes" });
view.rates.querySelector(".key").before(bars.button);
put(by("main"), view.sentence, h("div", { class: "grid" }, view.who, view.late, view.rates, view.conflicts));
view.who.hidden = view.late.hidden = true;
let stats = null;

function showSentence() {
  const { received, unique_processed: stored, duplicate_dropped: repeats, conflicts } = stats;
  const sum = received === stored + repeats;
  put(
    view.sentence,
    h("em", {}, count(received)),
    " received = ",
    h("em", { class: "n" }, count(stored)),
    " stored + ",
    h("em", { class: "d" }, plural(repeats, "repeat")),
    conflicts ? [", ", h("em", { class: "c" }, count(conflicts)), ` of them with other content`] : null,
    ". ",
    sum
      ? "It adds up, at every instant and after every crash."
      : h("b", { class: "bad" }, "It does not add up: please report this."),
  );
}

async function showRates() {
  try {
    const { data } = await ask("/stats/history");
    const { interval_seconds: step, starts, duplicates, conflicts } = data;
    const seconds = starts.map((text) => Date.parse(text) / 1000);
    const until = seconds.at(-1) + step;
    bars.show(
      seconds,
      step,
      [
        { ...REPEATS[0], values: duplicates.map((value, at) => (value - conflicts[at]) / step) },
        { ...REPEATS[1], values: conflicts.map((value) => value / step) },
      ],
      { shown: [until - 900, until] },
    );
  } catch (error) {
    view.rates.hidden = Boolean(error.status);
  }
}

/** Who sends again, and how late: counted since the process began. */
async function showWho() {
  let data;
  try {
    ({ data } = await ask("/duplicates"));
  } catch (error) {
    if (error.status) view.who.hidden = view.late.hidden = true;
    return;
  }
  const within = (late, part) => (late?.[part] === undefined || late[part] === null ? "" : span(late[part]));
  const rows = (data.by ?? [])
    .filter((one) => one.duplicates > 0)
    .sort((a, b) => b.duplicates - a.duplicates)
    .slice(0, 50);
  const row = (one) =>
    h(
      "tr",
      {},
      h(
        "td",
        { class: "clip" },
        h(
          "a",
          {
            class: "strong",
            href: `/explore${query([
              ["topic", one.topic],
              ["source", one.source],
            ])}`,
          },
          one.topic,
        ),
      ),
      h("td", { class: "clip" }, one.source),
      h("td", { class: "clip soft" }, one.key ?? ""),
      h("td", { class: "r" }, count(one.duplicates)),
      h("td", { class: "r" }, share(one.duplicates, one.received)),
      h("td", { class: `r ${one.conflicts ? "c" : "faint"}` }, count(one.conflicts)),
      h("td", { class: "r" }, within(one.late_seconds, "50")),
      h("td", { class: "r" }, within(one.late_seconds, "99")),
      h("td", { class: "r soft" }, one.last_at ? ago(one.last_at) : ""),
    );
  const cells = ["topic", "source", "key", "repeats", "of all", "conflicts", "half within", "99% within", "last"].map(
    (name, at) => h("th", { scope: "col", class: at > 2 ? "r" : "" }, name),
  );
  put(
    view.who,
    h("h2", {}, "Who sends again", h("span", {}, `since the server started, ${ago(data.since)}`)),
    rows.length
      ? h("div", { class: "wide" }, h("table", {}, h("thead", {}, h("tr", {}, cells)), h("tbody", {}, rows.map(row))))
      : h("p", { class: "empty" }, h("b", {}, "Nobody has sent anything twice"), " since the server started."),
  );
  view.who.hidden = false;
  showLate(data.late ?? []);
}

function showLate(late) {
  const total = late.reduce((sum, one) => sum + one.count, 0);
  view.late.hidden = !total;
  if (!total) return;
  const most = Math.max(...late.map((one) => one.count), 1);
  // Few and many are both to be seen.
  const tall = (number) => (number ? 6 + (80 * Math.log10(1 + number)) / Math.log10(1 + most) : 0);
  const name = (one, at) =>
    one.below_seconds === null || one.below_seconds === undefined
      ? `from ${span(late[at - 1]?.below_seconds ?? 0)}`
      : `< ${span(one.below_seconds)}`;
  put(
    view.late,
    h("h2", {}, "How late repeats come", h("span", {}, "each step ten times as many")),
    h(
      "div",
      {
        class: "late",
        role: "img",
        "aria-label": late.map((one, at) => `${name(one, at)}: ${count(one.count)}`).join(", "),
      },
      late.map((one, at) =>
        h(
          "div",
          {},
          h("span", {}, one.count ? short(one.count) : ""),
          h("i", { css: { "--h": `${tall(one.count)}%` } }),
          h("span", {}, name(one, at)),
        ),
      ),
    ),
    h(
      "p",
      { class: "soft", css: { "margin-top": "8px" } },
      "Seconds are retries, hours are queues that caught up, days are replays.",
    ),
  );
}

let turn = null;
async function refresh() {
  turn?.abort();
  turn = new AbortController();
  try {
    const { data } = await ask("/stats", { signal: turn.signal });
    stats = data;
    by("state").dataset.version = data.version;
    showState(data.status, data.version, undefined, data.damage);
    by("main").classList.remove("stale");
    showSentence();
    await Promise.all([showRates(), showWho(), showConflicts(view.conflicts, stats)]);
  } catch (error) {
    if (isAborted(error)) return;
    if (stats) by("main").classList.add("stale");
    else put(view.sentence, trouble(error, refresh));
  }
}

start();
stateIsKnown();
onResume(refresh);
for (;;) {
  if (!document.hidden) await refresh();
  await new Promise((done) => setTimeout(done, POLL_MS));
}
