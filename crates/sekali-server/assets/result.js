// A table of an answer: columns with the types of their values, and rows a part at a time.

import { pagePath } from "./api.js";
import { append, h, put } from "./dom.js";
import { isNumber, plain } from "./exact.js";
import { count } from "./format.js";

/** Rows that are shown at once, and added at once. */
const ROWS = 500;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/** The type of a value, as SQLite has it, with what a text seems to be. */
function typeOf(value) {
  if (value === null) return "null";
  if (isNumber(value)) return /[.eE]/.test(plain(value)) ? "real" : "integer";
  if (TIME.test(value)) return "time";
  return /^[[{]/.test(value) ? "json" : "text";
}

/** The types of a column, most frequent first. */
function typesOf(rows, at) {
  const counts = new Map();
  for (const row of rows) counts.set(typeOf(row[at]), (counts.get(typeOf(row[at])) ?? 0) + 1);
  const types = [...counts].sort((a, b) => b[1] - a[1]).map(([type]) => type);
  return types.length > 1 ? types.filter((type) => type !== "null") : types;
}

export class ResultTable {
  constructor(columns, rows) {
    this.rows = rows;
    this.types = columns.map((_, at) => typesOf(rows, at));
    this.numeric = this.types.map((types) => types.every((type) => type === "integer" || type === "real"));
    const places = ["topic", "event_id"].map((name) => columns.indexOf(name));
    this.link = places.every((at) => at >= 0) && places;
    this.shown = 0;
    this.body = h("tbody", {});
    this.more = h("div", { class: "more" });
    const wrap = h(
      "button",
      { type: "button", class: "bare", "aria-pressed": "false", onclick: () => this.wrap(wrap) },
      "wrap long values",
    );
    const head = columns.map((name, at) =>
      h(
        "th",
        { scope: "col", class: this.numeric[at] ? "r" : "" },
        h("span", {}, name),
        h("small", {}, this.types[at].join(", ")),
      ),
    );
    this.table = h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { class: "r", "aria-label": "number" }), head)),
      this.body,
    );
    this.element = h(
      "div",
      { class: "card answer" },
      h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Rows of the answer" }, this.table),
      this.more,
      h("div", { class: "line" }, h("span", { class: "push" }), wrap),
    );
    this.add();
  }

  /** Shows the next rows. */
  add() {
    const rows = this.rows.slice(this.shown, this.shown + ROWS);
    append(
      this.body,
      rows.map((row, at) => this.row(row, this.shown + at + 1)),
    );
    this.shown += rows.length;
    const left = this.rows.length - this.shown;
    this.more.hidden = left === 0;
    put(
      this.more,
      `${count(this.shown)} of ${count(this.rows.length)} rows are shown. `,
      h("button", { type: "button", onclick: () => this.add() }, `Show ${count(Math.min(left, ROWS))} more`),
    );
  }

  row(row, number) {
    return h(
      "tr",
      {},
      h("td", { class: "r faint" }, count(number)),
      row.map((value, at) =>
        h(
          "td",
          { class: this.numeric[at] ? "r" : "" },
          value === null ? h("i", { class: "faint" }, "null") : this.cell(row, value, at),
        ),
      ),
    );
  }

  cell(row, value, at) {
    const text = plain(value);
    if (this.link && at === this.link[1]) {
      const topic = row[this.link[0]];
      if (typeof topic === "string" && typeof value === "string" && topic && value)
        return h("a", { class: "strong", href: pagePath(topic, value) }, text);
    }
    return text === "" ? h("i", { class: "faint" }, "empty") : text;
  }

  wrap(button) {
    const is = this.element.classList.toggle("wrap");
    button.setAttribute("aria-pressed", String(is));
  }
}
