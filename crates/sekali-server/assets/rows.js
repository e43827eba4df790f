// The list of events: all that is loaded is in the document, so that the browser's search finds
// it; chunks that are out of sight are not laid out.

import { h, put } from "./dom.js";
import { isNumber, isObject, members, plain, valueAt } from "./exact.js";
import { label } from "./filters.js";
import { clock, time } from "./format.js";

const CELL_CHARACTERS_MAX = 300;
const WIDTH_MAX = 36;
/** A member is a column of its own accord if so many of the events have it. */
const COMMON_SHARE = 0.6;
const COLUMNS_MAX = 8;
const CHARACTER_PIXELS = 7.4;
/** Members that people look for first, in this order. */
const TELLING = [
  /^(level|severity|lvl|log_level)$/,
  /^(status|status_code|code|outcome|result|state)$/,
  /^(msg|message|text|error|event|name|action)$/,
  /^(method|path|url|route)$/,
  /(_ms|_seconds|duration|latency|total|amount)/,
];

/** Columns that fit these events and this width: what most of them have, or the payload as one text. */
export function usualColumns(events, hasTopic, pixels = 1000) {
  const seen = new Map();
  for (const event of events) {
    for (const [path, value] of members(event.payload, "payload", 2, 60)) {
      const isScalar = value === null || typeof value !== "object" || isNumber(value);
      if (!isScalar) continue;
      const one = seen.get(path) ?? { times: 0, width: label(path).length + 2 };
      seen.set(path, { times: one.times + 1, width: Math.min(WIDTH_MAX, Math.max(one.width, plain(value).length)) });
    }
  }
  const rank = (path) => {
    const at = TELLING.findIndex((pattern) => pattern.test(path.split(".").at(-1).toLowerCase()));
    return at < 0 ? TELLING.length : at;
  };
  const common = [...seen]
    .filter(([, { times }]) => times >= COMMON_SHARE * events.length)
    .sort(([a], [b]) => rank(a) - rank(b));
  let room = pixels / CHARACTER_PIXELS - 40;
  const columns = [];
  for (const [path, { width }] of common) {
    room -= width + 2;
    if (room < 0 || columns.length === COLUMNS_MAX) break;
    columns.push(path);
  }
  const head = hasTopic ? ["source"] : ["topic", "source"];
  return columns.length >= 2 ? [...head, ...columns] : [...head, "payload"];
}

/** A value in a cell. The payload as a whole is its members, which is shorter than JSON. */
function cellText(event, field) {
  const value = valueAt(event, field);
  if (field === "payload" && isObject(value))
    return members(value, "", 3, 20)
      .map(([path, one]) => `${path.slice(1)}=${plain(one)}`)
      .join("  ")
      .slice(0, CELL_CHARACTERS_MAX);
  if (field === "received_at" || field === "timestamp") return time(value, 3);
  return plain(value).slice(0, CELL_CHARACTERS_MAX);
}

/** The members of a payload in one line, names less dark than values. */
function memberTexts(payload) {
  let room = CELL_CHARACTERS_MAX;
  return members(payload, "", 3, 20).map(([path, one]) => {
    const text = plain(one).slice(0, Math.max(room, 0));
    room -= text.length + path.length;
    return room > 0 ? [h("span", { class: "soft" }, `${path.slice(1)} `), `${text}   `] : null;
  });
}

/** How a value of a status or level looks: bad ones are red, doubtful ones orange. */
export function severity(field, value) {
  const name = field.split(".").at(-1).toLowerCase();
  const text = plain(value).toLowerCase();
  if (/^(status|code|status_code|http_status)$/.test(name))
    return /^5\d\d$/.test(text) ? "bad" : /^4\d\d$/.test(text) ? "c" : "";
  if (/^(level|severity|lvl|log_level)$/.test(name))
    return /^(error|fatal|critical|panic|emerg)/.test(text) ? "bad" : /^warn/.test(text) ? "c" : "";
  return "";
}

export class Rows {
  /** `hooks`: `open(event)` returns what is shown below a row; `drop(column)`; `colour(event)`. */
  constructor(place, hooks) {
    Object.assign(this, { place, hooks, events: [], columns: [], rows: [] });
    this.head = h("div", { role: "rowgroup" });
    this.body = h("div", { role: "presentation" });
    this.table = h(
      "div",
      { role: "treegrid", "aria-label": "Events", "aria-readonly": "true", class: "rows" },
      this.head,
      this.body,
    );
    place.append(this.table);
    new ResizeObserver(() => this.table.style.setProperty("--seen", `${this.table.clientWidth}px`)).observe(this.table);
  }

  /** Starts anew with these columns; widths fit the events. */
  begin(columns, events) {
    this.columns = columns;
    this.opened = null;
    this.focused = 0;
    this.rows = [];
    this.numeric = columns.map(
      (field) =>
        events.length > 0 &&
        events.every((event) => {
          const value = valueAt(event, field);
          return value === undefined || isNumber(value);
        }) &&
        events.some((event) => valueAt(event, field) !== undefined),
    );
    const width = (field, at) => {
      const longest = events.reduce(
        (most, event) => Math.max(most, cellText(event, field).length),
        label(field).length + 2,
      );
      if (at === columns.length - 1 && !this.numeric[at]) return "minmax(20ch, 1fr)";
      return `minmax(${Math.min(longest, 8)}ch, ${Math.min(longest + 1, WIDTH_MAX)}ch)`;
    };
    const spans = events.some((event) => clock(event.timestamp).length > 12);
    const filler = columns.length && this.numeric.at(-1) ? " 1fr" : "";
    this.table.style.setProperty("--columns", `${spans ? 24 : 13}ch ${columns.map(width).join(" ")}${filler}`);
    const drop = (field) =>
      h(
        "button",
        {
          class: "bare",
          type: "button",
          "aria-label": `remove column ${label(field)}`,
          onclick: () => this.hooks.drop(field),
        },
        "×",
      );
    put(
      this.head,
      h(
        "div",
        { class: "row head", role: "row" },
        h("span", { role: "columnheader" }, "time"),
        columns.map((field, at) =>
          h(
            "span",
            { role: "columnheader", class: this.numeric[at] ? "r" : "", title: field },
            label(field),
            this.hooks.drop ? drop(field) : null,
          ),
        ),
      ),
    );
    put(this.body);
  }

  /** Appends events behind the others, or in front of them. */
  add(events, { fresh = false } = {}) {
    const made = events.map((event) => this.row(event, fresh));
    const chunk = h("div", { role: "rowgroup", class: "chunk" }, made);
    chunk.style.setProperty("contain-intrinsic-size", `auto ${24 * events.length}px`);
    this.body.append(chunk);
    this.rows.push(...made);
    if (this.rows.length && !this.table.querySelector('.row[tabindex="0"]')) this.rows[0].tabIndex = 0;
    return chunk;
  }

  /** Keeps the last `most` rows. */
  trim(most) {
    while (this.rows.length > most && this.body.firstChild !== this.body.lastChild) {
      const gone = this.body.firstChild;
      this.rows.splice(0, [...gone.children].filter((one) => one.classList.contains("row")).length);
      gone.remove();
    }
  }

  row(event, fresh) {
    const cell = (field, at) => {
      const text = cellText(event, field);
      const look = [
        this.numeric[at] ? "r" : "",
        severity(field, valueAt(event, field)),
        /_id$|\.id$|^event_id$/.test(field) ? "mono soft" : "",
      ]
        .filter(Boolean)
        .join(" ");
      return h(
        "span",
        {
          role: "gridcell",
          class: `${look}${field === "topic" ? " wide-first" : ""}`,
          title: text.length > 24 ? text : undefined,
        },
        field === "payload" ? memberTexts(event.payload) : text,
      );
    };
    const row = h(
      "div",
      {
        class: `row${fresh ? " fresh" : ""}`,
        role: "row",
        tabindex: "-1",
        "aria-expanded": this.hooks.open ? "false" : undefined,
      },
      h("span", { role: "gridcell", class: "t", title: event.timestamp }, clock(event.timestamp)),
      this.columns.map(cell),
    );
    row.event = event;
    if (this.hooks.open)
      row.addEventListener("click", (click) => {
        if (!getSelection().isCollapsed || click.target.closest("button, a")) return;
        this.toggle(row);
      });
    row.addEventListener("focus", () => this.focus(row, false));
    return row;
  }

  /** Opens a row, or closes it. One is open at a time. */
  toggle(row, keep = false) {
    const was = this.opened;
    if (was) {
      was.nextElementSibling?.remove();
      was.setAttribute("aria-expanded", "false");
      this.opened = null;
      if (was === row && !keep) return;
    }
    row.setAttribute("aria-expanded", "true");
    const detail = h("div", { role: "row" }, h("div", { role: "gridcell" }, this.hooks.open(row.event)));
    row.after(detail);
    this.opened = row;
    this.focus(row, false);
  }

  close() {
    if (!this.opened) return false;
    const row = this.opened;
    this.toggle(row);
    row.focus({ preventScroll: true });
    return true;
  }

  focus(row, scroll = true) {
    const before = this.table.querySelector('.row[tabindex="0"]');
    if (before) before.tabIndex = -1;
    row.tabIndex = 0;
    this.focused = this.rows.indexOf(row);
    if (scroll) {
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  /** Goes to the next row, or the one before; an open detail goes along. */
  move(step) {
    if (!this.rows.length) return;
    const isHere = document.activeElement?.classList.contains("row");
    const at = Math.max(0, Math.min(this.rows.length - 1, isHere || this.opened ? this.focused + step : this.focused));
    if (this.opened) this.toggle(this.rows[at], true);
    this.focus(this.rows[at]);
  }

  get current() {
    return this.opened ?? this.rows[this.focused];
  }
}
