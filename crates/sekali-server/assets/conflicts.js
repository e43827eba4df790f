// Conflicts: both sides, what differs, and what makes retries conflict.

import { ask, isAborted, pagePath, query } from "./api.js";
import { differences, sideBySide } from "./diff.js";
import { h, put } from "./dom.js";
import { same } from "./exact.js";
import { label } from "./filters.js";
import { count, plural, span } from "./format.js";
import { trouble } from "./shell.js";

const CONFLICTS_SHOWN = 20;
/** A member that changes with every attempt, by its name. */
const PER_ATTEMPT =
  /(sent|send|attempt|try|retry|retries|now|time|timestamp|date|uuid|nonce|random|request_id|trace|span|seq)/i;

let conflictsShown = -1;

/** The newest conflicts with both sides. */
async function newestConflicts() {
  const { data } = await ask(
    `/conflicts${query([
      ["limit", CONFLICTS_SHOWN],
      ["order", "desc"],
    ])}`,
  );
  return data.map(({ topic, event_id: id, stored, sent, late_seconds: late }) => ({ topic, id, stored, sent, late }));
}

/** Members by how many conflicts they are in. */
async function differingMembers() {
  const { data } = await ask(
    `/conflicts/count${query([
      ["by", "path"],
      ["top", 10],
      ["within", "2s"],
    ])}`,
  );
  return { total: data.count, members: data.groups.map(({ key: [path], count: number }) => [path, number]) };
}

function withDifferences(one) {
  if (!one.stored?.payload || one.stored.expired) return { ...one, different: one.different ?? [], equal: 0 };
  const { different, equal } = differences(one.stored.payload, one.sent.payload);
  const heads = same(one.stored.source, one.sent.source)
    ? []
    : [{ path: "source", left: one.stored.source, right: one.sent.source }];
  return { ...one, different: [...heads, ...different], equal };
}

export async function showConflicts(place, stats) {
  if (conflictsShown === stats.conflicts) return;
  conflictsShown = stats.conflicts;
  if (!stats.conflicts) {
    put(
      place,
      h("h2", {}, "Conflicts"),
      h(
        "p",
        { class: "empty" },
        h("b", {}, "No conflict, ever."),
        stats.duplicate_dropped
          ? ` ${plural(stats.duplicate_dropped, "repeat")} came, and each said the same as the first time.`
          : " Nothing was sent twice with other content.",
      ),
    );
    return;
  }
  try {
    const shown = (await newestConflicts()).map(withDifferences);
    const { total, members } = await differingMembers();
    put(
      place,
      h("h2", {}, "Conflicts", h("span", {}, `${count(stats.conflicts)}, newest first`)),
      advice(total, members),
      memberTable(total, members),
      shown.map(conflict),
      stats.conflicts > shown.length
        ? h(
            "p",
            { class: "soft", css: { "margin-top": "12px" } },
            h(
              "a",
              { class: "btn", href: `/explore${query([["topic", "$conflicts"]])}` },
              "All conflicts in the explorer",
            ),
          )
        : null,
    );
  } catch (error) {
    if (isAborted(error)) return;
    conflictsShown = -1;
    put(
      place,
      h("h2", {}, "Conflicts"),
      trouble(error, () => showConflicts(place, stats)),
    );
  }
}

/** One line that helps: a member that differs in most conflicts. */
function advice(total, members) {
  const [first, ...others] = members;
  if (!first || first[1] < 2 || first[1] < total / 2) return null;
  const also = others.filter(([, number]) => number === first[1]).map(([path]) => path);
  const names = [first[0], ...also].slice(0, 3).flatMap((path, at) => [at ? " and " : "", h("code", {}, label(path))]);
  const isAttempt = [first[0], ...also].some((path) => PER_ATTEMPT.test(label(path)));
  return h(
    "p",
    { class: "advice" },
    h("b", {}, `${count(first[1])} of ${count(total)} differ in `, names, ". "),
    isAttempt
      ? "A member that changes with every attempt makes each retry a conflict: leave it out of the payload, or give it to the timestamp, which does not count."
      : "If producers change it on purpose, each change needs an event id of its own.",
  );
}

function memberTable(total, members) {
  if (!members.length) return null;
  return h(
    "div",
    { class: "wide" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "what differs"),
          h("th", { scope: "col", class: "r" }, "conflicts"),
          h("th", { scope: "col" }, h("span", { class: "sr" }, "share")),
        ),
      ),
      h(
        "tbody",
        {},
        members.map(([path, number]) =>
          h(
            "tr",
            {},
            h("td", { class: "mono clip" }, label(path)),
            h("td", { class: "r" }, count(number)),
            h(
              "td",
              { class: "half" },
              h("i", { class: "meter c", css: { "--w": `${(100 * number) / Math.max(total, 1)}%` } }),
            ),
          ),
        ),
      ),
    ),
  );
}

function conflict(one) {
  const late =
    one.late === null || one.late === undefined ? "" : `, sent again ${span(one.late)} later with other content`;
  const stored =
    one.stored && !one.stored.expired
      ? `stored as ${count(one.stored.seq)} from ${one.stored.source || "no source"}`
      : "stored once, and expired since";
  return h(
    "div",
    { class: "conflict" },
    h(
      "h3",
      {},
      h("a", { href: pagePath(one.topic, one.id) }, `${one.topic} / ${one.id}`),
      h("span", { class: "soft" }, ` ${stored}${late}`),
    ),
    one.different.length
      ? sideBySide(["stored", "sent, and kept as evidence"], one.different, one.equal)
      : h("p", { class: "soft" }, "The stored event has expired, so only its digest could be compared."),
  );
}
