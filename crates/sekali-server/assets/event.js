// The page of one event: the permalink that never breaks.

import { ask, curl, eventPath, findEvent, isAborted, query } from "./api.js";
import { detail, memberList, prettyJson, provenance } from "./details.js";
import { differences, sideBySide } from "./diff.js";
import { by, copy, h, put } from "./dom.js";
import { compact, isNumber, members, plain } from "./exact.js";
import { address, label } from "./filters.js";
import { ago, count, plural, span, time, zone } from "./format.js";
import { Rows, usualColumns } from "./rows.js";
import { onResume, shortcut, start, trouble } from "./shell.js";

const AROUND = 10;
const CONFLICTS_SHOWN = 20;
const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
const [topic, id] = location.pathname.split("/").slice(2, 4).map(decode);
const place = { head: h("div", {}), body: h("div", { class: "grid" }) };
let event = null;
let same = new Set(new URLSearchParams(location.search).getAll("same"));
let rows = null;

/** Filters from this event: the explorer with them. */
const explore = (pairs) => `/explore${query(pairs)}`;
const act = {
  include: (field, text) => location.assign(explore([...(field === "topic" ? [] : [["topic", topic]]), [field, text]])),
  exclude: (field, text) =>
    location.assign(explore([...(field === "topic" ? [] : [["topic", topic]]), [`not.${field}`, text]])),
};

async function load() {
  document.title = `${id} · ${topic} · Sekali`;
  put(
    place.head,
    h("p", { class: "soft" }, h("a", { href: explore([["topic", topic]]) }, topic)),
    h("h1", { class: "sentence mono-title" }, id),
  );
  try {
    event = await findEvent(topic, id);
    if (event) show();
    else put(place.body, h("section", { class: "card" }, await missing()));
  } catch (error) {
    if (!isAborted(error)) put(place.body, h("section", { class: "card" }, trouble(error, load)));
  }
}

/** Why there is nothing: it expired, or it never was here. */
async function missing() {
  let expired = 0;
  try {
    expired = (await ask("/stats")).data.expired?.events ?? 0;
  } catch {
    // The words below are right without it.
  }
  const evidence = await conflictsOf();
  const words = expired
    ? [
        h("b", {}, "This event is not stored any more, or never was."),
        " ",
        `${plural(expired, "event")} of this store ${expired === 1 ? "has" : "have"} expired. The id of an expired event stays known for ever: publish it again, and the answer says whether it was here.`,
      ]
    : [
        h("b", {}, "No event with this id was ever stored here."),
        " Nothing of this store has expired, so that is certain. Look at the topic and the id: both are compared exactly.",
      ];
  return h(
    "div",
    { class: "empty" },
    h("p", {}, words),
    h("p", {}, h("a", { class: "btn", href: explore([["topic", topic]]) }, "Events of this topic")),
    evidence.length ? conflictList(evidence) : null,
  );
}

function show() {
  const box = h("div", {}, memberList(event, act));
  let isJson = false;
  const toggle = h(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      onclick: () => (
        (isJson = !isJson),
        toggle.setAttribute("aria-pressed", isJson),
        put(box, isJson ? prettyJson(event) : memberList(event, act))
      ),
    },
    "JSON",
  );
  const buttons = h(
    "div",
    { class: "line push" },
    toggle,
    h(
      "button",
      { type: "button", onclick: () => copy(curl(eventPath(topic, id)), "curl command copied") },
      "Copy as curl",
    ),
    h(
      "button",
      { type: "button", onclick: () => copy(location.origin + location.pathname, "link copied") },
      "Copy link",
    ),
  );
  const resend = h("button", { type: "button", onclick: sendAgain }, "Send it again");
  const outcome = h("p", { class: "soft", role: "status" }, "It is a repeat: nothing is stored twice.");
  async function sendAgain() {
    try {
      const { data } = await ask("/publish?verbose=true", {
        method: "POST",
        body: compact(event),
        headers: { "content-type": "application/json" },
      });
      put(
        outcome,
        h("b", {}, { duplicate: "A repeat.", conflict: "A conflict.", stored: "Stored." }[data.events[0].outcome]),
        data.events[0].outcome === "duplicate" ? " Nothing was stored twice." : "",
      );
    } catch (error) {
      put(outcome, h("span", { class: "bad" }, error.message));
    }
  }
  place.facts = h("div", {}, provenance(event));
  place.around = h("section", { class: "card", id: "around" });
  place.conflicts = h("section", { class: "card", hidden: true });
  put(
    place.body,
    h("section", { class: "card s8 detail-card" }, h("h2", {}, "The event", buttons), box),
    h(
      "section",
      { class: "card s4" },
      h("h2", {}, "Where it comes from"),
      place.facts,
      h("div", { class: "line", css: { "margin-top": "10px" } }, resend),
      outcome,
    ),
    place.conflicts,
    place.around,
  );
  void showAround();
  void showConflicts();
}

/** Members that look like something to follow: ids, and what has few values. */
function handles() {
  const found = members(event.payload, "payload", 3, 100).filter(
    ([path, value]) =>
      (typeof value === "string" || isNumber(value)) &&
      plain(value).length <= 80 &&
      /(^|[._-])(id|ids|uuid|trace|span|request|session|user|order|client|host|sensor|device|key)$|_id$|Id$/i.test(
        path,
      ),
  );
  return ["source", ...found.slice(0, 6).map(([path]) => path)];
}

async function showAround() {
  const box = h("div", {});
  const switches = h(
    "span",
    { class: "line" },
    h("span", {}, "same"),
    handles().map((field) => {
      const on = same.has(field);
      return h(
        "button",
        { type: "button", "aria-pressed": on, title: plain(valueOf(field)), onclick: () => toggleSame(field) },
        label(field),
      );
    }),
  );
  put(place.around, h("h2", {}, "Around it", h("span", {}, "in the order they were stored"), switches), box);
  try {
    const { data } = await ask(
      `${eventPath(topic, id)}/context${query([
        ["before", AROUND],
        ["after", AROUND],
        ["same", [...same].join(",")],
      ])}`,
    );
    const events = [...data.before, event, ...data.after];
    rows = new Rows(box, { open: (one) => detail(one, act, "j next · k previous · Esc close") });
    rows.begin(usualColumns(events, new Set(events.map((one) => one.topic)).size === 1, box.clientWidth), events);
    rows.add(events);
    const own = rows.rows[data.before.length];
    own.classList.add("this");
    own.setAttribute("aria-current", "true");
    rows.focus(own, false);
    if (location.hash === "#around") place.around.scrollIntoView();
  } catch (error) {
    put(box, trouble(error, showAround));
  }
}

const valueOf = (field) =>
  field === "source" ? event.source : members(event.payload, "payload", 3, 100).find(([path]) => path === field)?.[1];

function toggleSame(field) {
  same = new Set(same.has(field) ? [...same].filter((one) => one !== field) : [...same, field]);
  history.replaceState(
    null,
    "",
    address(
      [...same].map((one) => ["same", one]),
      {},
    ) + location.hash,
  );
  void showAround();
}

/** Conflicts with this event, newest first. */
async function conflictsOf() {
  if (topic.includes("*") || topic.startsWith("$")) return [];
  try {
    const pairs = [
      ["topic", topic],
      ["event_id", id],
      ["order", "desc"],
      ["limit", CONFLICTS_SHOWN],
    ];
    return (await ask(`/conflicts${query(pairs)}`)).data.map(({ sent }) => sent);
  } catch {
    return [];
  }
}

function conflictList(evidence) {
  return evidence.map((one) => {
    const { different, equal } = differences(event?.payload ?? {}, one.payload);
    const heads =
      event && event.source !== one.source ? [{ path: "source", left: event.source, right: one.source }] : [];
    const late = event ? `, ${span((Date.parse(one.received_at) - Date.parse(event.received_at)) / 1000)} later` : "";
    return h(
      "div",
      { class: "conflict" },
      h("h3", { class: "soft" }, `sent again at ${time(one.received_at, 0)} ${zone.name}${late}, with other content`),
      sideBySide(["stored", "sent, and kept as evidence"], [...heads, ...different], equal),
    );
  });
}

async function showConflicts() {
  const evidence = await conflictsOf();
  place.conflicts.hidden = !evidence.length;
  put(place.conflicts, h("h2", {}, "Conflicts", h("span", {}, count(evidence.length))), conflictList(evidence));
  put(
    place.facts,
    provenance(event, [
      ["conflicts", evidence.length ? count(evidence.length) : "none", evidence.length ? "c" : "n"],
      ["known for", ago(event.received_at).replace(" ago", "")],
    ]),
  );
}

shortcut("j", "next event", () => rows?.move(1));
shortcut("k", "previous event", () => rows?.move(-1));
shortcut("Enter", "open or close an event", () => (rows?.current ? rows.toggle(rows.current) : false));
shortcut("Escape", "close it", () => rows?.close() ?? false);
shortcut("y", "copy the link", () => copy(location.origin + location.pathname, "link copied"));
put(by("main"), place.head, place.body);
onResume(() => event || load());
start();
void load();
