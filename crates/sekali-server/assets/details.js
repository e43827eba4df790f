// One event, opened: its members, its JSON, where it came from.

import { curl, eventPath, pagePath } from "./api.js";
import { copy, facts, h, put } from "./dom.js";
import { Exact, isNumber, isObject, members, plain } from "./exact.js";
import { filterValue, label } from "./filters.js";
import { count, span, time, zone } from "./format.js";

const TEXT_MAX = 4_000;
const LINES_MAX = 2_000;

/** Text that is cut, and can be had in full. */
function long(text, look) {
  if (text.length <= TEXT_MAX) return h("span", { class: look }, text);
  const place = h("span", { class: look }, text.slice(0, TEXT_MAX), "… ");
  place.append(
    h(
      "button",
      { class: "link", type: "button", onclick: () => put(place, text) },
      `all ${count(text.length)} characters`,
    ),
  );
  return place;
}

/** JSON with its lines indented, as elements. */
export function prettyJson(value) {
  const box = h("pre", { class: "json", tabindex: "0", "aria-label": "JSON" });
  let lines = 0;
  const write = (inner, indent) => {
    if (lines > LINES_MAX) return;
    const entries = isObject(inner)
      ? Object.entries(inner)
      : Array.isArray(inner)
        ? inner.map((one) => [null, one])
        : null;
    if (!entries) {
      const text = inner instanceof Exact ? inner.source : JSON.stringify(inner);
      box.append(typeof inner === "string" ? long(text, "s") : h("span", { class: "l" }, text));
      return;
    }
    const [open, close] = Array.isArray(inner) ? "[]" : "{}";
    if (!entries.length) return box.append(open + close);
    box.append(open);
    entries.forEach(([name, one], at) => {
      lines++;
      box.append(`\n${"  ".repeat(indent + 1)}`);
      if (name !== null) box.append(h("span", { class: "k" }, JSON.stringify(name)), ": ");
      write(one, indent + 1);
      if (at < entries.length - 1) box.append(",");
    });
    box.append(`\n${"  ".repeat(indent)}${close}`);
  };
  write(value, 0);
  if (lines > LINES_MAX) box.append("\n… this is cut here; the curl command has all of it");
  return box;
}

/** Include, exclude, column: on every value that is shown. */
export function actions(field, value, act) {
  const text = filterValue(field, value);
  const name = `${label(field)} ${plain(value).slice(0, 40)}`;
  const button = (sign, meaning, run) =>
    h(
      "button",
      {
        type: "button",
        title: `${meaning} ${name}`,
        "aria-label": `${meaning} ${name}`,
        onclick: (event) => (event.stopPropagation(), run()),
      },
      sign,
    );
  const isScalar = value === null || typeof value !== "object" || isNumber(value);
  return h(
    "span",
    { class: "acts" },
    isScalar && act.include
      ? [button("+", "only", () => act.include(field, text)), button("−", "without", () => act.exclude(field, text))]
      : null,
    act.column ? button("⊞", "column for", () => act.column(field)) : null,
  );
}

/** Every member of an event with its actions. */
export function memberList(event, act) {
  const own = ["topic", "source", "event_id"].map((field) => [field, event[field]]);
  const rows = [...own, ...members(event.payload, "payload")];
  return h(
    "div",
    { class: "members" },
    rows.map(([field, value]) =>
      h(
        "div",
        { class: "v" },
        h("span", { class: "name" }, label(field)),
        h("span", { class: "value" }, long(plain(value), "")),
        act ? actions(field, value, act) : null,
      ),
    ),
  );
}

/** Where the event came from, and when. `more` are further pairs. */
export function provenance(event, more = []) {
  const delay = (Date.parse(event.received_at) - Date.parse(event.timestamp)) / 1000;
  return facts([
    ["happened", `${time(event.timestamp)} ${zone.name}`],
    ["stored", `${time(event.received_at)} ${zone.name}`],
    ["arrived after", span(Math.round(delay * 1000) / 1000)],
    ["number", `${count(event.seq)} of its partition`],
    ...more,
  ]);
}

/** The buttons of an opened event. */
export function eventButtons(event, body) {
  const path = eventPath(event.topic, event.event_id);
  const page = pagePath(event.topic, event.event_id);
  let isJson = false;
  const toggle = h(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      onclick: () => ((isJson = !isJson), toggle.setAttribute("aria-pressed", isJson), body.swap(isJson)),
    },
    "JSON",
  );
  return [
    toggle,
    h("a", { class: "btn", href: `${page}#around` }, "Around it"),
    h("a", { class: "btn", href: page }, "Permalink"),
    h("button", { type: "button", onclick: () => copy(curl(path), "curl command copied") }, "Copy as curl"),
  ];
}

/** An opened event below its row: members or JSON, provenance and buttons. */
export function detail(event, act, hint) {
  const place = h("div", {}, memberList(event, act));
  const body = { swap: (isJson) => put(place, isJson ? prettyJson(event) : memberList(event, act)) };
  return h(
    "div",
    { class: "detail" },
    place,
    h("div", {}, provenance(event)),
    h("div", { class: "acts-line" }, eventButtons(event, body), hint ? h("span", { class: "soft push" }, hint) : null),
  );
}
