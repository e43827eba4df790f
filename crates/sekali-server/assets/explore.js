// The explorer: what is in here, and what is different?

import { ask, findEvent, isAborted, pagePath, query } from "./api.js";
import { Bar } from "./bar.js";
import { detail } from "./details.js";
import { compareEvents } from "./diff.js";
import { by, copy, h, put, toast } from "./dom.js";
import { Facets } from "./facets.js";
import { address, grouped, including, label, meaning, read, without } from "./filters.js";
import { Follow } from "./follow.js";
import { ago, count, plural, time, zone } from "./format.js";
import { Histogram, effort } from "./histogram.js";
import { Rows, usualColumns } from "./rows.js";
import { onResume, shortcut, start, trouble } from "./shell.js";

const ROWS = 200;
const ROWS_MAX = 5_000;
/** The server takes 32 columns. */
const COLUMNS_MAX = 28;
/** A search that finds nothing for so long asks whether to go on. */
const SEARCH_MS = 6_000;
/** Sums are not asked for more often than this while events are followed. */
const SUMS_MS = 10_000;
const FIELDS_HIDDEN = "sekali.fields";

const page = { filters: [], view: {}, go, toggleFollow, toggleFields, addColumn, counted, refused, beginRows, grown };
let loading = new AbortController();
let shown = "";
let cursor = null;
let marked = null;

const places = { bar: h("div", {}), histogram: h("div", {}), two: h("div", { class: "two" }), list: h("div", {}) };
put(by("main"), h("h1", { class: "sr" }, "Explore events"), places.bar, places.histogram, places.two);
const bar = new Bar(places.bar, page);
const histogram = (page.histogram = new Histogram(places.histogram, page));
const facets = new Facets(places.two, page);
places.two.append(places.list);
const rows = (page.rows = new Rows(places.list, { open, drop: dropColumn }));
const more = h("div", { class: "more", role: "status" });
places.list.append(more);
const follow = new Follow(places.list, page);

/** Goes to other filters or another view: a new entry of the history. */
function go(filters, changes = {}, replace = false) {
  const view = { ...page.view, ...changes };
  history[replace ? "replaceState" : "pushState"](null, "", address(filters, view));
  load();
}

function toggleFollow() {
  go(page.filters, { follow: page.view.follow ? undefined : "1" });
}

function toggleFields() {
  if (innerWidth <= 720) return void document.body.classList.toggle("show-fields");
  const isHidden = document.body.classList.toggle("no-fields");
  localStorage.setItem(FIELDS_HIDDEN, isHidden ? "1" : "");
}

function addColumn(field) {
  const now = rows.columns.filter((column) => column !== "payload");
  if (rows.columns.includes(field)) return toast(`${label(field)} is a column already`);
  go(page.filters, { columns: columnList([...now, field]) });
}

function dropColumn(field) {
  go(page.filters, {
    columns: columnList(rows.columns.filter((column) => column !== field)) || "event_id",
  });
}

/** The columns of the address bar. */
const chosenColumns = () =>
  page.view.columns
    ?.split(/(?<!\\),/)
    .map((name) => name.replaceAll("\\,", ","))
    .filter(Boolean);

const act = {
  include: (field, text) => go(including(page.filters, field, text)),
  exclude: (field, text) => go(including(page.filters, `not.${field}`, text)),
  column: addColumn,
};

/** Rows have their columns only; the rest of an event is asked for when it is opened. */
async function whole(event) {
  if (event.payload === undefined) Object.assign(event, await findEvent(event.topic, event.event_id));
  return event;
}

function open(event) {
  const hint = "j next · k previous · Esc close";
  if (event.payload !== undefined) return detail(event, act, hint);
  const place = h("div", {}, h("div", { class: "detail soft" }, "…"));
  whole(event).then(
    () => put(place, event.payload === undefined ? "This event has expired." : detail(event, act, hint)),
    (error) => put(place, trouble(error)),
  );
  return place;
}

/** The columns to ask for, once they are known: payloads can be large. */
function columnsAsked(isFirst) {
  const columns = isFirst ? chosenColumns() : rows.columns;
  if (!columns || columns.includes("payload") || columns.length > COLUMNS_MAX) return undefined;
  return columnList([...new Set(["topic", "event_id", "timestamp", ...columns])]);
}

const columnList = (columns) => columns.map((name) => name.replaceAll(",", "\\,")).join(",");

function beginRows(events) {
  const hasTopic = page.filters.filter(([name]) => name === "topic").length === 1;
  rows.begin(chosenColumns() ?? usualColumns(events, hasTopic, Math.max(places.list.clientWidth, 760)), events);
  rows.add(events);
}

/** Loads what the address bar says. */
function load() {
  Object.assign(page, read());
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  marked = null;
  document.body.classList.remove("show-fields");
  bar.show();
  const { by: split, sample, compare } = page.view;
  const sums = JSON.stringify([page.filters, split, sample, compare, zone.name]);
  const isSame = sums === shown;
  follow.begun = false;
  cursor = null;
  put(more);
  if (page.view.follow) void follow.start(signal);
  else void loadRows(signal, true);
  if (isSame && !signal.aborted) {
    bar.summary.textContent = page.summary ?? "";
    return;
  }
  shown = sums;
  page.summary = "";
  showSums();
}

function showSums() {
  showSums.at = Date.now();
  void histogram.show(sumSignal());
  void facets.show(sumSignal.current);
}

/** There are more events than the sums know of: they are asked for again, if they are not fresh. */
function grown() {
  if (Date.now() - showSums.at > SUMS_MS) showSums();
}

/** Sums outlive a change of columns: they have a signal of their own. */
function sumSignal() {
  sumSignal.controller?.abort();
  sumSignal.controller = new AbortController();
  sumSignal.current = sumSignal.controller.signal;
  return sumSignal.current;
}

async function loadRows(signal, isFirst) {
  if (loadRows.busy === signal) return;
  loadRows.busy = signal;
  places.list.classList.toggle("stale", isFirst);
  const began = Date.now();
  try {
    do {
      const { data, headers } = await ask(
        `/events${query([...page.filters, ["order", "desc"], ["limit", ROWS], ["after", cursor], ["columns", columnsAsked(isFirst)]])}`,
        { signal },
      );
      const wasEmpty = isFirst || !rows.rows.length;
      cursor = headers.get("x-next-cursor");
      if (isFirst) scrollTo(0, 0);
      if (wasEmpty) beginRows(data);
      else if (data.length) rows.add(data);
      isFirst = false;
      places.list.classList.remove("stale");
      rows.table.hidden = !rows.rows.length;
      if (!cursor) return void end(signal);
      if (rows.rows.length >= ROWS_MAX)
        return void put(
          more,
          `${count(rows.rows.length)} rows are loaded. Narrow the filters, or download everything.`,
        );
      if (Date.now() - began > SEARCH_MS && !data.length) return void searching(signal);
      put(more, data.length ? "…" : `searching further back …`);
    } while (isInView(more));
  } catch (error) {
    if (isAborted(error)) return;
    places.list.classList.remove("stale");
    refused(error);
    rows.table.hidden = !rows.rows.length;
    put(
      more,
      trouble(error, () => loadRows(signal, isFirst)),
    );
  } finally {
    if (loadRows.busy === signal) loadRows.busy = null;
  }
}

const isInView = (element) => element.getBoundingClientRect().top < innerHeight + 600;

function searching(signal) {
  put(
    more,
    "Nothing found yet, and there is more to read. ",
    h("button", { type: "button", onclick: () => loadRows(signal, false) }, "Search on"),
  );
}

/** The end of the list; where there is no row at all, why. */
async function end(signal) {
  if (rows.rows.length)
    return void put(more, rows.rows.length > 20 ? `That is all: ${plural(rows.rows.length, "event")}.` : null);
  put(more, h("div", { class: "empty" }, h("b", {}, page.filters.length ? "No event matches." : "No events yet.")));
  if (!page.filters.length)
    return void more.firstChild.append(
      h(
        "p",
        {},
        "The ",
        h("a", { href: "/", class: "strong" }, "overview"),
        " shows how to send the first one. ",
        h("button", { type: "button", onclick: toggleFollow }, "Follow"),
        " shows it as it comes.",
      ),
    );
  // Which filter leaves nothing: how many there are without each.
  const groups = [
    ...grouped(page.filters.filter(([name]) => !["since", "until"].includes(name))).map(([name]) => [name]),
    ...(page.filters.some(([name]) => ["since", "until"].includes(name)) ? [["since", "until"]] : []),
  ];
  const ways = await Promise.all(
    groups.slice(0, 8).map(async (names) => {
      const filters = without(page.filters, ...names);
      const { data } = await ask(`/events/count${query([...filters, ["within", "1s"]])}`, { signal }).catch(() => ({
        data: { count: 0 },
      }));
      return { names, filters, found: data.count, isSure: data.complete };
    }),
  );
  if (signal.aborted) return;
  const hints = ways
    .filter(({ found }) => found)
    .map(({ names, filters, found, isSure }) =>
      h(
        "p",
        {},
        h(
          "button",
          { type: "button", onclick: () => go(filters) },
          names[0] === "since"
            ? "At all times"
            : `Without ${meaning(names[0]).isNot ? "not " : ""}${label(meaning(names[0]).field)}`,
        ),
        ` there ${found === 1 ? "is" : "are"} ${isSure ? "" : "at least "}${plural(found, "event")}.`,
      ),
    );
  more.firstChild.append(...hints);
  if (ways.some(({ names, found }) => names[0] === "since" && found)) await nearest(signal);
}

/** When the newest event was that a range of time leaves out. */
async function nearest(signal) {
  const rest = without(page.filters, "since", "until");
  const { data } = await ask(`/events${query([...rest, ["order", "desc"], ["limit", 1]])}`, { signal }).catch(() => ({
    data: [],
  }));
  if (data[0] && !signal.aborted)
    more.firstChild.append(
      h(
        "p",
        { class: "soft" },
        `The newest one is of ${time(data[0].timestamp, 0)} ${zone.name}, ${ago(data[0].timestamp)}.`,
      ),
    );
}

/** The total of the histogram's request. */
async function counted(data, readAll) {
  const { data: whole } = page.filters.length ? await ask("/events/count").catch(() => ({ data: null })) : { data };
  const all = whole && whole.count !== data.count ? ` of ${count(whole.count)}` : "";
  page.summary = `${data.complete ? "" : "at least "}${count(data.count)}${all} · ${effort(data)}`;
  put(
    bar.summary,
    page.summary,
    data.complete ? null : [" · ", h("button", { class: "link", type: "button", onclick: readAll }, "read all")],
  );
}

/** Shows a refusal at the filter that it is about. */
function refused(error) {
  const problems = new Map(
    (error.errors ?? [])
      .filter(({ parameter }) => parameter)
      .map(({ parameter, reason, allowed }) => [parameter, allowed ? `${reason} (${allowed})` : reason]),
  );
  if (problems.size) bar.show(problems);
}

new IntersectionObserver(
  ([entry]) => {
    if (entry.isIntersecting && cursor && rows.rows.length < ROWS_MAX && !page.view.follow)
      void loadRows(loading.signal, false);
  },
  { rootMargin: "600px" },
).observe(more);

shortcut("/", "search", () => bar.input.focus());
shortcut("j", "next event", () => rows.move(1));
shortcut("k", "previous event", () => rows.move(-1));
shortcut("ArrowDown", "", (event) => (event.target.closest(".rows") ? rows.move(1) : false));
shortcut("ArrowUp", "", (event) => (event.target.closest(".rows") ? rows.move(-1) : false));
shortcut("Enter", "open or close an event", () => (rows.current ? rows.toggle(rows.current) : false));
shortcut("Escape", "close it", () => {
  if (document.body.classList.contains("show-fields")) return document.body.classList.remove("show-fields");
  return rows.close();
});
shortcut("c", "events around this one", () => {
  const event = rows.current?.event;
  if (event) location.assign(`${pagePath(event.topic, event.event_id)}#around`);
});
shortcut("d", "mark an event; with a second one: what differs", () => {
  const row = rows.current;
  if (!row) return;
  if (!marked) {
    marked = row;
    row.classList.add("marked");
    return toast("marked; go to another event and press d");
  }
  marked.classList.remove("marked");
  const pair = [marked.event, row.event];
  marked = null;
  if (pair[0] !== pair[1])
    Promise.all(pair.map(whole)).then(
      ([first, second]) => compareEvents(first, second),
      (error) => toast(error.message),
    );
});
shortcut("f", "follow new events", toggleFollow);
shortcut("y", "copy the link of this view", () => copy(location.href, "link copied"));
shortcut("t", "time range", () => bar.time.querySelector("button").click());
shortcut("z", "UTC or local time", () => bar.toggleZone());
shortcut("[", "show or hide the fields", toggleFields);

if (localStorage.getItem(FIELDS_HIDDEN)) document.body.classList.add("no-fields");
addEventListener("popstate", load);
onResume(() => {
  if (!rows.rows.length) {
    shown = "";
    load();
  }
});
start();
load();
