// Who sends again, and how late: counters of the server since it started.

import { ask, isAborted, query } from "./api.js";
import { h, put } from "./dom.js";
import { ago, count, plural, share } from "./format.js";
import { trouble } from "./shell.js";

const SENDERS_SHOWN = 10;
/** The groups of lateness, and what each usually is. */
const NAMES = ["1 s", "10 s", "1 min", "10 min", "1 h", "6 h", "1 day", "7 days"];
const KINDS = [
  ["retries", 3, "below a minute: a client got no answer and sent again"],
  ["queues", 6, "a minute to some hours: a queue or spool was emptied again"],
  ["replays", 9, "longer: a file was read again, or a backup replayed"],
];

let shown = "";

/** The shares of the three kinds of lateness. */
function kinds(late) {
  let from = 0;
  return KINDS.map(([name, to, meaning]) => {
    const sum = late.slice(from, to).reduce((all, one) => all + one, 0);
    from = to;
    return { name, meaning, count: sum };
  });
}

/** How late most of them came, in words. */
function usual(late) {
  const all = late.reduce((sum, one) => sum + one, 0);
  if (!all) return "";
  let seen = 0;
  const at = late.findIndex((one) => (seen += one) >= all / 2);
  return at < NAMES.length ? `most within ${NAMES[at]}` : `most after ${NAMES.at(-1)}`;
}

/** Bars of the groups of lateness: one picture, told as text as well. */
function bars(late) {
  const most = Math.max(...late, 1);
  const text = late.map((one, at) => [one, at < NAMES.length ? `within ${NAMES[at]}` : "later"]).filter(([one]) => one);
  return h(
    "span",
    {
      class: "lateness",
      role: "img",
      "aria-label": text.map(([one, name]) => `${count(one)} ${name}`).join(", ") || "unknown",
    },
    late.map((one, at) =>
      h("i", {
        title: `${count(one)} ${at < NAMES.length ? `within ${NAMES[at]}` : `after more than ${NAMES.at(-1)}`}`,
        css: { "--h": `${one ? Math.max(8, (100 * one) / most) : 0}%` },
      }),
    ),
  );
}

function row({ topic, source, key, received, duplicates, conflicts, last_at: last, late, late_unknown: unknown }) {
  const address = `/explore${query([
    ["topic", topic],
    ["source", source],
  ])}`;
  return h(
    "tr",
    {},
    h("td", { class: "clip" }, h("a", { class: "strong", href: address }, topic)),
    h(
      "td",
      { class: "clip" },
      source || h("i", { class: "faint" }, "none"),
      key ? h("span", { class: "faint" }, ` · key ${key}`) : null,
    ),
    h("td", { class: "r" }, count(duplicates)),
    h("td", { class: "r soft" }, share(duplicates, received)),
    h("td", { class: `r ${conflicts ? "c" : "faint"}` }, count(conflicts)),
    h("td", {}, bars(late)),
    h("td", { class: "soft" }, usual(late) || (unknown ? "of events from before the start" : "")),
    h("td", { class: "r faint" }, last ? ago(last) : ""),
  );
}

/** Fills the panel. */
export async function showResenders(place) {
  let data;
  try {
    ({ data } = await ask(`/duplicates${query([["top", SENDERS_SHOWN]])}`));
  } catch (error) {
    if (!isAborted(error))
      put(
        place,
        h("h2", {}, "Who sends again, and how late"),
        trouble(error, () => showResenders(place)),
      );
    shown = "";
    return;
  }
  const again = data.by.filter(({ duplicates }) => duplicates > 0);
  const shape = JSON.stringify([data.duplicates, data.conflicts, again.length]);
  if (shape === shown) return;
  shown = shape;
  const title = h(
    "h2",
    {},
    "Who sends again, and how late",
    h("span", {}, `since the server started ${ago(data.since)}`),
  );
  if (!again.length)
    return void put(
      place,
      title,
      h("p", { class: "empty" }, h("b", {}, "Nobody has sent anything again"), " since the server started."),
    );
  const counts = data.late.map((group) => group.count);
  const all = counts.reduce((sum, one) => sum + one, 0);
  const names = ["topic", "source", "repeats", "of its events", "conflicts", "how late", "", "last"];
  const right = ["repeats", "of its events", "conflicts", "last"];
  const unlisted = data.by.length - again.length;
  put(
    place,
    title,
    all
      ? h(
          "p",
          { class: "kinds" },
          kinds(counts).map(({ name, meaning, count: number }) =>
            h(
              "span",
              { title: meaning, class: number ? "" : "faint" },
              h("b", {}, number ? share(number, all) : "0%"),
              ` ${name}`,
            ),
          ),
          data.late_unknown
            ? h("span", { class: "faint" }, `${plural(data.late_unknown, "repeat")} of events from before the start`)
            : null,
        )
      : null,
    h(
      "div",
      { class: "wide", tabindex: "0", role: "region", "aria-label": "Senders" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            names.map((name) =>
              name ? h("th", { scope: "col", class: right.includes(name) ? "r" : "" }, name) : h("td", {}),
            ),
          ),
        ),
        h("tbody", {}, again.map(row)),
      ),
    ),
    data.other.duplicates
      ? h("p", { class: "soft" }, `and ${plural(data.other.duplicates, "repeat")} of other senders`)
      : unlisted
        ? h("p", { class: "faint" }, `${plural(unlisted, "other sender")} sent everything once.`)
        : null,
  );
}
