// Integrity: does it add up, who sends again, and what are conflicts about?

import { ask, isAborted, query } from "./api.js";
import { Bars, legend } from "./chart.js";
import { showConflicts } from "./conflicts.js";
import { by, card, h, put } from "./dom.js";
import { count, plural, share } from "./format.js";
import { showResenders } from "./resenders.js";
import { onResume, showState, start, stateIsKnown, trouble } from "./shell.js";

const POLL_MS = 5_000;
const SENDERS_SHOWN = 5;
const view = {
  sentence: h("h1", { class: "sentence" }, " "),
  rates: card("s7", "Repeats a second"),
  who: card("s5", "Who says something else"),
  senders: h("section", { class: "card" }),
  ids: h("section", { class: "card", hidden: true }),
  conflicts: h("section", { class: "card" }),
};
view.chart = h("div", {});
const REPEATS = [
  { label: "repeat", color: "--dup" },
  { label: "conflict", color: "--conflict" },
];
put(view.rates, h("h2", {}, "Repeats a second", h("span", {}, "last 15 min"), legend(REPEATS)), view.chart);
const bars = new Bars(view.chart, { height: 130, label: "Repeats and conflicts a second over the last 15 minutes" });
view.rates.querySelector(".key").before(bars.button);
put(
  by("main"),
  view.sentence,
  h("div", { class: "grid" }, view.rates, view.who, view.senders, view.ids, view.conflicts),
);
view.who.hidden = true;
let stats = null;
let whoOf = -1;

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

/** Where ids come from, where not every event declares its own. */
function showIds() {
  const { unidentified = 0, ways = [] } = stats;
  const others = ways.filter(({ way }) => way !== "publish");
  view.ids.hidden = !unidentified && !others.length;
  if (view.ids.hidden) return;
  const names = ["way in", "declared", "positional", "request", "content", "none", "quarantined"];
  const cell = (number, look) => h("td", { class: `r ${number ? look : "faint"}` }, count(number));
  put(
    view.ids,
    h("h2", {}, "Where ids come from", h("span", {}, "since the server started")),
    unidentified
      ? h(
          "p",
          { class: "advice" },
          h("b", {}, `${plural(unidentified, "event")} came without any id. `),
          "Sent again, they are stored again: for these, once is not promised. Name the place of an id in the request, or give records times in microseconds.",
        )
      : null,
    ways.length
      ? h(
          "div",
          { class: "wide", tabindex: "0", role: "region", "aria-label": "Ways in" },
          h(
            "table",
            {},
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                names.map((name, at) => h("th", { scope: "col", class: at ? "r" : "" }, name)),
              ),
            ),
            h(
              "tbody",
              {},
              ways.map((way) =>
                h(
                  "tr",
                  {},
                  h("td", {}, way.way),
                  ["declared", "positional", "request", "content"].map((kind) => cell(way[kind], "")),
                  cell(way.none, "c"),
                  cell(way.quarantined, "c"),
                ),
              ),
            ),
          ),
        )
      : null,
  );
}

/** Who sends other content under a known id. */
async function showWho() {
  view.who.hidden = !stats.conflicts;
  view.rates.className = stats.conflicts ? "card s7" : "card";
  if (!stats.conflicts || whoOf === stats.conflicts) return;
  whoOf = stats.conflicts;
  try {
    const { data } = await ask(
      `/conflicts/count${query([
        ["by", "topic,source"],
        ["top", SENDERS_SHOWN],
        ["within", "2s"],
      ])}`,
    );
    const row = ({ key: [topic, source], count: number }) =>
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
                ["topic", topic],
                ["source", source],
              ])}`,
            },
            topic,
          ),
        ),
        h("td", { class: "clip" }, source || h("i", { class: "faint" }, "none")),
        h("td", { class: "r" }, count(number)),
        h("td", { class: "r soft" }, share(number, data.count)),
      );
    const cells = ["topic", "source", "conflicts", "of all"].map((name, at) =>
      h("th", { scope: "col", class: at > 1 ? "r" : "" }, name),
    );
    const more = data.other?.groups
      ? h("p", { class: "soft" }, `and ${plural(data.other.groups, "more sender")}`)
      : null;
    put(
      view.who,
      h("h2", {}, "Who says something else under a known id"),
      h(
        "div",
        { class: "wide" },
        h("table", {}, h("thead", {}, h("tr", {}, cells)), h("tbody", {}, data.groups.map(row))),
      ),
      more,
    );
  } catch {
    whoOf = -1;
    view.who.hidden = true;
  }
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
    showIds();
    await Promise.all([showRates(), showWho(), showResenders(view.senders), showConflicts(view.conflicts, stats)]);
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
