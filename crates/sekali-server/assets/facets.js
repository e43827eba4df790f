// The fields of the matching events, with their most frequent values.

import { ask, isAborted, query } from "./api.js";
import { actions } from "./details.js";
import { h, put } from "./dom.js";
import { plain } from "./exact.js";
import { between, including, label } from "./filters.js";
import { count, share, short } from "./format.js";

const SAMPLE = 100_000;
const VALUES = 5;
const VALUES_OPEN = 50;
const NUMBERS_MIN = 20;

/** Filters that say which events are compared with, where others are compared. */
const BASE = ["topic", "since", "until"];

export class Facets {
  constructor(place, page) {
    this.page = page;
    this.filter = h("input", {
      placeholder: "find a field",
      "aria-label": "Find a field",
      type: "search",
      spellcheck: "false",
    });
    this.filter.addEventListener("input", () => this.list());
    this.box = h("div", {});
    this.note = h("p", { class: "faint" });
    this.compare = h(
      "button",
      {
        type: "button",
        class: "link compare",
        "aria-pressed": "false",
        title: "compare these events with all of the same topics and time",
        onclick: () => page.go(page.filters, { compare: page.view.compare ? undefined : "1" }),
      },
      "what is different here?",
    );
    this.place = h(
      "aside",
      { class: "fields", "aria-label": "Fields" },
      this.filter,
      this.compare,
      this.box,
      this.note,
    );
    place.append(this.place);
    this.fields = [];
    this.open = new Map();
  }

  async show(signal) {
    const { filters, view } = this.page;
    const base = filters.filter(([name]) => BASE.includes(name));
    const isNarrow = base.length < filters.length;
    this.compare.hidden = !isNarrow;
    const isCompared = isNarrow && Boolean(view.compare);
    this.compare.setAttribute("aria-pressed", String(isCompared));
    const compare = isCompared ? `&compare=${encodeURIComponent(new URLSearchParams(base))}` : "";
    this.place.classList.add("stale");
    try {
      const { data } = await ask(
        `/events/fields${query([...filters, ["sample", view.sample === "all" ? "all" : SAMPLE], ["values", VALUES], ...(view.sample === "all" ? [["within", "60s"]] : [["within", "2s"]])])}${compare}`,
        { signal },
      );
      this.data = data;
      this.fields = data.fields;
      this.open.clear();
      this.signal = signal;
      this.list();
      this.page.histogram.offer(this.fields);
    } catch (error) {
      if (isAborted(error)) return;
      put(this.box, error.status === 401 ? null : h("p", { class: "bad" }, error.message));
    } finally {
      if (!signal.aborted) this.place.classList.remove("stale");
    }
  }

  list() {
    const { events, sampled, complete, fields_left_out: left } = this.data ?? { events: 0 };
    const text = this.filter.value.trim().toLowerCase();
    const shown = this.fields.filter(
      ({ field, distinct }) =>
        distinct !== 0 && !["payload", "event_id"].includes(field) && label(field).toLowerCase().includes(text),
    );
    put(
      this.box,
      shown.map((field) => this.field(field)),
    );
    const all =
      sampled || !complete
        ? [
            " · ",
            h(
              "button",
              { class: "link", type: "button", onclick: () => this.page.go(this.page.filters, { sample: "all" }) },
              "all",
            ),
          ]
        : null;
    put(
      this.note,
      events
        ? [
            sampled || !complete ? `of the newest ${count(events)}` : `of all ${count(events)}`,
            all,
            left ? ` · ${count(left)} fields left out` : null,
            this.data.compared === undefined
              ? null
              : `, compared with ${count(this.data.compared)}; the mark is their share`,
          ]
        : "no events, no fields",
    );
  }

  field(field) {
    const name = label(field.field);
    const { events } = this.data;
    const isNumbers = field.percentiles && (field.distinct === null || field.distinct > NUMBERS_MIN);
    const distinct = field.distinct === null ? `≥ ${count(field.distinct_at_least ?? 1000)}` : count(field.distinct);
    const note = isNumbers ? `p50 ${short(field.percentiles["50"])} · p99 ${short(field.percentiles["99"])}` : distinct;
    const part = field.events < events ? `, in ${share(field.events, events)} of the events` : "";
    const box = h("div", { class: "f" });
    const title = h(
      "button",
      {
        class: "name",
        type: "button",
        "aria-expanded": this.open.has(field.field),
        title: `${name}: ${distinct} values${part}; click for more`,
        onclick: () => this.toggle(field),
      },
      name,
    );
    const isSplit = this.page.view.by === field.field;
    put(
      box,
      h(
        "div",
        {},
        title,
        h(
          "span",
          { class: "add" },
          h(
            "button",
            {
              class: "bare",
              type: "button",
              title: `column for ${name}`,
              "aria-label": `column for ${name}`,
              onclick: () => this.page.addColumn(field.field),
            },
            "⊞",
          ),
          h(
            "button",
            {
              class: "bare",
              type: "button",
              title: `split the bars by ${name}`,
              "aria-label": `split the bars by ${name}`,
              onclick: () => this.page.go(this.page.filters, { by: isSplit ? undefined : field.field }),
            },
            "▥",
          ),
        ),
        h("span", { class: "cnt" }, note),
      ),
      isNumbers ? this.ranges(field) : this.values(field, this.open.get(field.field) ?? repeated(field.values ?? [])),
    );
    return box;
  }

  values(field, values) {
    const { page } = this;
    const name = field.field;
    const act = {
      include: (_, text) => page.go(including(page.filters, name, text)),
      exclude: (_, text) => page.go(including(page.filters, `not.${name}`, text)),
    };
    const { events, compared } = this.data;
    const byDifference = ({ count: number, compared_share: other }) => -Math.abs(number / events - other);
    const sorted = compared === undefined ? values : [...values].sort((a, b) => byDifference(a) - byDifference(b));
    return sorted.map(({ value, count: number, compared_share: other }) => {
      const text = plain(value);
      const isCompared = other !== undefined;
      const whole = isCompared ? events : field.events;
      return h(
        "div",
        {
          class: "v",
          title: `${text}: ${count(number)}${isCompared ? `, ${share(number, events)} of these and ${percent(other)} of all` : ""}`,
        },
        h("span", {}, text === "" ? h("i", { class: "faint" }, "empty") : text),
        isCompared
          ? h(
              "span",
              { class: "against", css: { "--at": `${100 * other}%` } },
              h("i", { class: "meter", css: { "--w": `${(100 * number) / whole}%` } }),
            )
          : h("i", { class: "meter", css: { "--w": `${(100 * number) / whole}%` } }),
        h("span", {}, share(number, whole)),
        actions(name, value, act),
      );
    });
  }

  /** Numbers with many values are ranges. */
  ranges(field) {
    const parts = merged(field.histogram ?? [], 5);
    const most = Math.max(...parts.map((part) => part.count), 1);
    return parts
      .filter((part) => part.count)
      .map(({ from, below, count: number }) => {
        const pick = () => this.page.go(between(this.page.filters, field.field, from, below));
        const text = `${short(from)} – ${short(below)}`;
        return h(
          "div",
          { class: "v", title: `${text}: ${count(number)}` },
          h("span", {}, text),
          h("i", { class: "meter", css: { "--w": `${(100 * number) / most}%` } }),
          h("span", {}, share(number, field.events)),
          h(
            "span",
            { class: "acts" },
            h(
              "button",
              {
                type: "button",
                "aria-label": `only ${label(field.field)} ${text}`,
                title: `only ${text}`,
                onclick: pick,
              },
              "+",
            ),
          ),
        );
      });
  }

  /** More values of a field, or fewer. */
  async toggle(field) {
    const name = field.field;
    if (this.open.has(name)) this.open.delete(name);
    else if (field.distinct !== null && field.distinct <= VALUES) this.open.set(name, field.values);
    else {
      const { data } = await ask(
        `/events/fields${query([...this.page.filters, ["field", name], ["values", VALUES_OPEN], ["sample", SAMPLE], ["within", "2s"]])}`,
        { signal: this.signal },
      ).catch(() => ({ data: null }));
      const found = data?.fields.find((one) => one.field === name);
      this.open.set(name, found?.values ?? []);
    }
    const { scrollTop } = this.place;
    this.list();
    this.place.scrollTop = scrollTop;
    this.box.querySelectorAll(".name").forEach((button) => button.textContent === label(name) && button.focus());
  }
}

const percent = (part) => share(Math.round(part * 1e6), 1e6) || "0%";

/** Values that tell something: where each occurs once, none does. */
const repeated = (values) => (values[0]?.count > 1 || values.length === 1 ? values : []);

/** Neighbouring ranges as at most `most` ones. */
function merged(ranges, most) {
  const size = Math.ceil(ranges.length / most);
  const parts = [];
  for (let at = 0; at < ranges.length; at += size) {
    const group = ranges.slice(at, at + size);
    parts.push({
      from: group[0].from,
      below: group.at(-1).below,
      count: group.reduce((sum, one) => sum + one.count, 0),
    });
  }
  return parts;
}
