// The histogram of the whole range, split by any field.

import { ask, isAborted, query } from "./api.js";
import { Bars } from "./chart.js";
import { h, put } from "./dom.js";
import { plain } from "./exact.js";
import { filterValue, including, label, without } from "./filters.js";
import { count, interval, rfc3339, span } from "./format.js";
import { severity } from "./rows.js";

const BARS = 120;
const WITHIN = "2s";
const COLOURS = ["--v0", "--v1", "--v2", "--v3", "--v4", "--v5"];

/** Colours of values that look bad or doubtful; the others have those of a fixed list. */
const LOOKS = { bad: ["--bad", "--bad2"], c: ["--conflict", "--conflict2"] };

/** A colour for each value: red and orange where a value says so. */
export function colours(field, values) {
  const free = { bad: [...LOOKS.bad], c: [...LOOKS.c], "": [...COLOURS] };
  return values.map((value) => free[severity(field, value)].shift() ?? free[""].shift() ?? "--rest");
}

export class Histogram {
  constructor(place, page) {
    this.page = page;
    this.title = h("span", {}, "Events");
    this.split = h("input", {
      list: "split-fields",
      placeholder: "a field",
      "aria-label": "Split by a field",
      spellcheck: "false",
      autocomplete: "off",
    });
    this.options = h("datalist", { id: "split-fields" });
    this.split.addEventListener("change", () => page.go(page.filters, { by: this.read(this.split.value) }));
    this.key = h("span", { class: "key" });
    this.chart = h("div", {});
    const head = h("h2", { class: "card-head" }, this.title, h("span", {}, "split by "), this.split, this.options);
    place.append(h("section", { class: "card hist", "aria-label": "Events over time" }, head, this.chart));
    this.bars = new Bars(this.chart, {
      height: 96,
      label: "Events over time, as bars",
      pick: (from, until) => this.pick(from, until),
    });
    head.append(this.bars.button, this.key);
  }

  /** A field as the API names it. */
  read(text) {
    const name = text.trim();
    if (!name) return undefined;
    return ["topic", "source"].includes(name) || name.startsWith("payload.") ? name : `payload.${name}`;
  }

  pick(from, until) {
    const rest = without(this.page.filters, "since", "until");
    this.page.go([...rest, ["since", rfc3339(Math.floor(from * 1000))], ["until", rfc3339(Math.ceil(until * 1000))]]);
  }

  offer(fields) {
    const names = fields
      .filter(({ distinct, field }) => distinct !== null && distinct > 1 && !["payload", "event_id"].includes(field))
      .map(({ field }) => field);
    put(
      this.options,
      names.map((name) => h("option", { value: label(name) })),
    );
  }

  async show(signal, isAll = false) {
    const { filters, view } = this.page;
    this.split.value = view.by ? label(view.by) : "";
    const pairs = [
      ...filters,
      ["auto", BARS],
      ...(view.by
        ? [
            ["by", view.by],
            ["top", 6],
          ]
        : []),
      ...(isAll ? [] : [["within", WITHIN]]),
    ];
    this.chart.classList.add("stale");
    try {
      const { data } = await ask(`/events/count${query(pairs)}`, { signal });
      this.draw(data);
      this.page.counted(data, () => this.show(signal, true));
    } catch (error) {
      if (isAborted(error)) return;
      put(this.key, error.status === 401 ? null : h("span", { class: "bad" }, error.message));
      this.page.refused(error);
    } finally {
      if (!signal.aborted) this.chart.classList.remove("stale");
    }
  }

  draw(data) {
    const { view } = this.page;
    const step = data.interval_seconds ?? 60;
    const starts = (data.starts ?? data.buckets?.map(({ start }) => start) ?? []).map(
      (text) => Date.parse(text) / 1000,
    );
    const all = data.counts ?? data.buckets?.map(({ count: number }) => number) ?? [];
    let series = [{ label: "events", color: "--new", values: all }];
    if (view.by && data.series) {
      const values = data.series.map(({ key: [value] }) => value);
      const chosen = colours(view.by, values);
      series = data.series.map(({ counts }, at) => ({
        label: plain(values[at]) || "empty",
        value: values[at],
        color: chosen[at],
        values: counts,
      }));
      const rest = all.map((number, at) => number - series.reduce((sum, one) => sum + one.values[at], 0));
      if (rest.some((number) => number > 0))
        series.push({ label: data.missing ? "other or none" : "other", color: "--rest", values: rest });
    }
    this.title.textContent = starts.length ? `Events by ${interval(step)}` : "Events";
    this.bars.box.setAttribute(
      "aria-label",
      `${count(data.count)} events by ${interval(step)}${starts.length ? `, in ${count(starts.length)} bars` : ""}`,
    );
    put(this.key, view.by ? series.map((one) => this.legend(one)) : null);
    if (starts.length) this.bars.show(starts, step, series, { partial: !data.complete });
    else this.bars.show([Math.floor(Date.now() / 1000) - 60], 60, [{ label: "events", color: "--new", values: [0] }]);
  }

  /** A value of the legend: click for only it, with Shift for all but it. */
  legend({ label: text, color, value }) {
    const swatch = h("i", { css: { background: `var(${color})` } });
    if (value === undefined) return h("span", {}, swatch, text);
    const { by } = this.page.view;
    const pick = (event) =>
      this.page.go(including(this.page.filters, `${event.shiftKey ? "not." : ""}${by}`, filterValue(by, value)));
    return h("button", { type: "button", title: `only ${text}; with Shift: without it`, onclick: pick }, swatch, text);
  }
}

/** How much was read for an answer. */
export const effort = ({ read, complete }) =>
  read ? `${count(read.events)} read in ${span(read.seconds)}${complete ? "" : ", not complete"}` : "";
