// Stacked bars over time, by uPlot; small lines as SVG. Colours are those of the style sheet.

import { h, put, svg } from "./dom.js";
import { count, short, time, zone } from "./format.js";

/** The colour of a name in the style sheet, as the canvas wants it. */
function resolved(name) {
  const probe = h("i", { hidden: true, css: { color: `var(${name})` } });
  document.body.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return text;
}

/**
 * Bars of `series` on top of each other. `starts` are seconds, one apart by `step`; each of `series`
 * has a `label`, `color` (a name of the style sheet) and `values`, and the first is at the bottom.
 */
export class Bars {
  /** `pick(from, until)` in seconds: a bar was clicked, or a range brushed. */
  constructor(place, { height, pick, label, unit = "" }) {
    Object.assign(this, { place, height, pick, unit });
    this.box = h("div", { class: "chart", role: "img", "aria-label": label });
    this.table = h("div", {
      class: "as-table",
      hidden: true,
      tabindex: "0",
      role: "group",
      "aria-label": "The bars as a table",
    });
    /** For the title of the panel. */
    this.button = h(
      "button",
      { class: "as-table-button", type: "button", "aria-expanded": "false", onclick: () => this.toggleTable() },
      "as table",
    );
    put(place, this.box, this.table);
    this.data = null;
    new ResizeObserver(() => this.draw()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(true));
  }

  show(starts, step, series, { partial = false, shown } = {}) {
    this.data = { starts, step, series, shown };
    this.box.classList.toggle("partial", partial);
    this.draw(true);
    this.fillTable();
  }

  draw(anew) {
    if (!this.data || !this.place.clientWidth) return;
    const width = this.place.clientWidth;
    if (!anew) {
      if (this.plot && this.plot.width !== width) this.plot.setSize({ width, height: this.height });
      return;
    }
    this.plot?.destroy();
    this.plot = null;
    const { starts, step, series, shown } = this.data;
    if (!series.some(({ values }) => values.some(Boolean))) {
      put(this.box, h("p", { class: "nothing", css: { "--h": `${this.height}px` } }, "nothing in this time"));
      return;
    }
    const total = starts.map(() => 0);
    // Nothing is drawn for nothing: its edge would show around the bar below it.
    const stacked = series.map(({ values }) => values.map((value, at) => (value ? (total[at] += value) : null)));
    // The tallest is drawn first, so that the ones below stay visible.
    const order = series.map((_, at) => at).reverse();
    const bars = uPlot.paths.bars({ size: [0.82, 60], align: 1 });
    const faint = resolved("--faint"),
      line = resolved("--line");
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: faint, font, ticks: { show: false }, grid: { stroke: line, width: 1, dash: [2, 4] } };
    const from = shown?.[0] ?? starts[0],
      until = shown?.[1] ?? starts.at(-1) + step;
    this.tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.plot = new uPlot(
      {
        width,
        height: this.height,
        legend: { show: false },
        padding: [6, 18, 0, 0],
        tzDate: (seconds) =>
          zone.isLocal ? new Date(seconds * 1000) : uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        scales: {
          x: { time: true, range: () => [from, until] },
          y: { range: (_, __, max) => [0, Math.max(max * 1.08, 1)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 18,
            gap: 2,
            space: 90,
            values: (plot, splits, _, __, step) => tickTexts(plot, splits, step),
          },
          { ...axis, size: 44, gap: 4, space: 26, values: (_, splits) => splits.map((value) => short(value)) },
        ],
        cursor: { y: false, points: { show: false }, drag: { x: Boolean(this.pick), y: false, setScale: false } },
        series: [
          {},
          ...order.map((at) => ({
            label: series[at].label,
            fill: resolved(series[at].color),
            width: 0,
            paths: bars,
            points: { show: false },
          })),
        ],
        hooks: { setSelect: [(plot) => this.brushed(plot)], setCursor: [(plot) => this.point(plot)] },
      },
      [starts, ...order.map((at) => stacked[at])],
      put(this.box),
    );
    this.box.append(this.tip);
    if (!this.pick) return;
    this.plot.over.addEventListener("click", () => {
      if (this.justBrushed) return void (this.justBrushed = false);
      const at = this.at(this.plot);
      if (at !== null) this.pick(starts[at], starts[at] + step);
    });
  }

  /** The bar under the pointer. */
  at(plot) {
    if (plot.cursor.left === null || plot.cursor.left < 0) return null;
    const { starts, step } = this.data;
    const moment = plot.posToVal(plot.cursor.left, "x");
    const at = starts.findLastIndex((start) => start <= moment);
    return at >= 0 && moment < starts[at] + step ? at : null;
  }

  brushed(plot) {
    const { left, width } = plot.select;
    if (width < 3) return;
    this.justBrushed = true;
    setTimeout(() => (this.justBrushed = false), 100);
    const { step } = this.data;
    const from = plot.posToVal(left, "x"),
      until = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    // Whole bars where several were meant.
    const snap = until - from > step;
    this.pick(snap ? Math.round(from / step) * step : from, snap ? Math.round(until / step) * step : until);
  }

  point(plot) {
    const at = this.at(plot);
    this.tip.hidden = at === null;
    if (at === null) return;
    const { starts, series } = this.data;
    const rows = series
      .filter(({ values }) => values[at])
      .reverse()
      .map(({ label, color, values }) =>
        h("div", {}, h("i", { css: { background: `var(${color})` } }), `${label} ${short(values[at])}${this.unit}`),
      );
    put(
      this.tip,
      h("div", { class: "soft" }, time(new Date(starts[at] * 1000).toISOString(), 0), ` ${zone.name}`),
      rows.length ? rows : "none",
    );
    const x = plot.valToPos(starts[at], "x") + plot.over.offsetLeft;
    this.tip.style.left = `${Math.max(0, Math.min(x + 14, this.place.clientWidth - this.tip.offsetWidth))}px`;
  }

  toggleTable() {
    this.table.hidden = !this.table.hidden;
    this.button.setAttribute("aria-expanded", !this.table.hidden);
    this.fillTable();
  }

  fillTable() {
    if (this.table.hidden || !this.data) return;
    const { starts, step, series } = this.data;
    const cell = (at) => {
      const text = time(new Date(starts[at] * 1000).toISOString(), 0);
      return this.pick
        ? h("button", { class: "link", type: "button", onclick: () => this.pick(starts[at], starts[at] + step) }, text)
        : text;
    };
    put(
      this.table,
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", {}, `from, ${zone.name}`),
            series.map(({ label }) => h("th", { class: "r" }, label)),
          ),
        ),
        h(
          "tbody",
          {},
          starts.map((_, at) =>
            h(
              "tr",
              {},
              h("td", {}, cell(at)),
              series.map(({ values }) =>
                h("td", { class: "r" }, Number.isInteger(values[at]) ? count(values[at]) : short(values[at] ?? 0)),
              ),
            ),
          ),
        ),
      ),
    );
  }
}

/** Times below the bars: the clock, and the day where it changes. */
function tickTexts(plot, splits, step) {
  let last = "";
  return splits.map((seconds) => {
    // There, it would meet the zero of the other axis.
    if (plot.valToPos(seconds, "x") < 16) return "";
    const [day, clock] = time(new Date(seconds * 1000).toISOString(), 0).split(" ");
    const isNew = last && day !== last;
    last = day;
    return step >= 86400 || isNew ? day : step >= 60 ? clock.slice(0, 5) : clock;
  });
}

/** A small line. */
export function spark(values, width = 140, height = 18) {
  const most = Math.max(...values, 1);
  const x = (at) => (1 + (at * (width - 2)) / Math.max(values.length - 1, 1)).toFixed(1);
  const y = (value) => (height - 2 - ((height - 4) * value) / most).toFixed(1);
  return svg(
    "svg",
    { class: "spark", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("path", { d: values.map((value, at) => `${at ? "L" : "M"}${x(at)} ${y(value)}`).join("") }),
  );
}

/** A legend. */
export const legend = (series) =>
  h(
    "span",
    { class: "key" },
    series.map(({ label, color }) => h("span", {}, h("i", { css: { background: `var(${color})` } }), label)),
  );
