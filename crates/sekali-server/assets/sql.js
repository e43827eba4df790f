// SQL: one statement, its rows, and what it cost. The address bar has the statement, so that a link
// shows the same; what was run before is known to this tab only.

import { ask, curl, isAborted, query, request } from "./api.js";
import { popup } from "./bar.js";
import { by, copy, h, put, say, toast } from "./dom.js";
import { count, plural, span } from "./format.js";
import { ResultTable } from "./result.js";
import { onResume, shortcut, start, trouble } from "./shell.js";

const HISTORY = "sekali.sql";
const HISTORY_MAX = 20;
const LIMITS = ["1s", "10s", "60s"];
const USUAL_LIMIT = "10s";
const TABLES = [
  [
    "events",
    ["topic", "event_id", "timestamp", "source", "payload", "seq", "received_at", "partition"],
    "everything that is stored",
  ],
  [
    "conflicts",
    ["topic", "event_id", "timestamp", "source", "payload", "seq", "received_at"],
    "what was sent under a known id with other content",
  ],
  [
    "topics",
    ["topic", "partition", "events", "bytes", "first_timestamp", "last_timestamp"],
    "counted already, so quick",
  ],
];
const EXAMPLES = [
  [
    "The newest events",
    "SELECT timestamp, topic, event_id, source, payload\nFROM events\nORDER BY timestamp DESC\nLIMIT 100",
  ],
  [
    "Topics by size",
    "SELECT topic, sum(events) AS events, sum(bytes) AS bytes\nFROM topics\nGROUP BY topic\nORDER BY events DESC",
  ],
  [
    "A member by value",
    "SELECT payload ->> 'status' AS status, count(*) AS n\nFROM events\nGROUP BY status\nORDER BY n DESC",
  ],
  [
    "By the hour",
    "SELECT strftime('%Y-%m-%dT%H:00Z', timestamp) AS hour, count(*) AS n\nFROM events\nGROUP BY hour\nORDER BY hour DESC\nLIMIT 48",
  ],
  [
    "Percentiles by source",
    "SELECT source, count(*) AS n,\n  median(payload ->> 'duration_ms') AS p50,\n  percentile(payload ->> 'duration_ms', 99) AS p99\nFROM events\nWHERE payload ->> 'duration_ms' IS NOT NULL\nGROUP BY source\nORDER BY p99 DESC",
  ],
  [
    "Senders that are late",
    "SELECT source, count(*) AS n,\n  max(unixepoch(received_at) - unixepoch(timestamp)) AS late_seconds\nFROM events\nGROUP BY source\nORDER BY late_seconds DESC",
  ],
];

const area = h("textarea", {
  id: "statement",
  rows: "7",
  spellcheck: "false",
  autocapitalize: "off",
  "aria-label": "Statement of SQL",
  "aria-describedby": "sql-problem",
  placeholder: "SELECT … FROM events",
});
const problem = h("div", { id: "sql-problem", role: "alert" });
const run = h("button", { class: "primary", type: "submit", title: "Ctrl+Enter" }, "Run");
const stop = h("button", { type: "button", hidden: true, onclick: () => running?.abort() }, "Cancel");
const limit = h(
  "select",
  { "aria-label": "Longest time" },
  LIMITS.map((text) => h("option", { value: text }, `at most ${text.replace("s", " s")}`)),
);
const status = h("span", { class: "summary", role: "status" });
const past = popup("History ▾", "Statements of this tab", fillPast);
const save = popup("Download ▾", "Download the answer", fillSave, "right");
const share = h(
  "button",
  { type: "button", title: "copy the link of this statement", onclick: () => copy(location.href, "link copied") },
  "Link",
);
const result = h("section", { class: "result", "aria-label": "Rows" });
const form = h(
  "form",
  { class: "card", onsubmit: (event) => (event.preventDefault(), go()) },
  area,
  problem,
  h("div", { class: "line" }, run, stop, limit, past, status, h("span", { class: "push" }), save, share),
);
const side = h(
  "aside",
  { class: "sql-side", "aria-label": "Examples and tables" },
  h("h2", {}, "Ask"),
  h(
    "ul",
    {},
    EXAMPLES.map(([name, text]) =>
      h("li", {}, h("button", { type: "button", class: "link", onclick: () => pick(text) }, name)),
    ),
  ),
  h("h2", {}, "Tables"),
  TABLES.map(([table, columns, about]) => [
    h(
      "h3",
      {},
      h(
        "button",
        { type: "button", class: "bare mono", title: `insert ${table}`, onclick: () => insert(table) },
        table,
      ),
    ),
    h("p", { class: "faint" }, about),
    h(
      "p",
      { class: "columns" },
      columns.map((column) =>
        h(
          "button",
          { type: "button", class: "bare mono", title: `insert ${column}`, onclick: () => insert(column) },
          column,
        ),
      ),
    ),
  ]),
  h("p", { class: "soft" }, "The SQL of SQLite. Members of payloads: ", h("code", {}, "payload ->> 'status'"), "."),
);
put(
  by("main"),
  h("h1", { class: "sr" }, "Ask with SQL"),
  h("div", { class: "sql-grid" }, h("div", {}, form, result), side),
);

let running = null;
let shownFor = null;

/** The statement and limit of the address bar. */
function read() {
  const parameters = new URLSearchParams(location.search);
  const within = parameters.get("within");
  return { sql: parameters.get("sql") ?? "", within: LIMITS.includes(within) ? within : USUAL_LIMIT };
}

const address = (sql, within) =>
  `${location.pathname}${query([
    ["sql", sql],
    ["within", within === USUAL_LIMIT ? "" : within],
  ])}`;

/** Runs what is in the editor: a new entry of the history, if it is another statement. */
function go() {
  const sql = area.value;
  if (!sql.trim()) {
    put(problem);
    say(status, "");
    return void area.focus();
  }
  const now = read();
  if (now.sql !== sql || now.within !== limit.value) history.pushState(null, "", address(sql, limit.value));
  void load();
}

function pick(sql) {
  area.value = sql;
  go();
}

function insert(text) {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.focus();
}

/** Shows and runs what the address bar says. */
async function load() {
  const { sql, within } = read();
  area.value = sql;
  limit.value = within;
  running?.abort();
  put(problem);
  area.removeAttribute("aria-invalid");
  if (!sql.trim()) return void welcome();
  const own = (running = new AbortController());
  const ticking = tick();
  try {
    const { data } = await ask(`/sql?format=json&within=${within}`, {
      method: "POST",
      body: sql,
      headers: { "content-type": "application/sql" },
      signal: own.signal,
    });
    shownFor = sql;
    remember({ sql, within, rows: data.rows.length, seconds: Number(data.read.seconds) });
    showRows(data);
  } catch (error) {
    if (running !== own) return;
    if (isAborted(error)) say(status, "Cancelled.");
    else refused(error);
  } finally {
    clearInterval(ticking);
    if (running === own) idle();
  }
}

/** Says that a statement runs, once that takes long enough to notice. */
function tick() {
  const began = performance.now();
  stop.hidden = false;
  result.classList.add("stale");
  say(status, "running …");
  return setInterval(() => say(status, `running … ${span((performance.now() - began) / 1000)}`), 500);
}

function idle() {
  running = null;
  stop.hidden = true;
  result.classList.remove("stale");
}

function showRows({ columns, rows, complete, ended_by: end, read: cost }) {
  const ends = {
    rows: "an answer has no more rows than this",
    bytes: "an answer is no larger than this",
    time: "the time was up",
  };
  put(
    status,
    h("b", {}, plural(rows.length, "row")),
    ` · ${plural(cost.events, "event")} read · ${span(Number(cost.seconds))}`,
    complete ? null : h("b", { class: "c" }, ` · incomplete: ${ends[end] ?? end}`),
  );
  if (rows.length) return void put(result, new ResultTable(columns, rows).element);
  put(
    result,
    h(
      "div",
      { class: "card empty" },
      h("p", {}, h("b", {}, "No rows."), " The statement is fine, and nothing matches it."),
      columns.length ? h("p", { class: "faint" }, "Columns: ", h("span", { class: "mono" }, columns.join(", "))) : null,
    ),
  );
}

/** The first look: what can be asked. */
function welcome() {
  say(status, "");
  put(
    result,
    h(
      "div",
      { class: "card empty" },
      h(
        "p",
        {},
        h("b", {}, "One statement that reads, over everything that is stored."),
        " It sees one moment, and changes nothing.",
      ),
      h(
        "p",
        { class: "line center" },
        EXAMPLES.slice(0, 3).map(([name, text]) => h("button", { type: "button", onclick: () => pick(text) }, name)),
      ),
      h(
        "p",
        { class: "faint" },
        h("kbd", {}, "Ctrl"),
        " + ",
        h("kbd", {}, "Enter"),
        " runs it. The link of the page has the statement.",
      ),
    ),
  );
}

const OWN = ["invalid_sql", "sql_not_allowed", "sql_timeout", "sql_too_large"];

/** An error of the statement stands below it, with the place; any other in place of the rows. */
function refused(error) {
  say(status, "");
  if (!OWN.includes(error.code))
    return void put(
      result,
      h(
        "div",
        { class: "card" },
        trouble(error, () => void load()),
      ),
    );
  area.setAttribute("aria-invalid", "true");
  const place = error.errors?.[0]?.line ? error.errors[0] : null;
  const longer = LIMITS[LIMITS.indexOf(limit.value) + 1];
  put(
    problem,
    h("p", { class: "bad" }, place ? `Line ${place.line}, column ${place.column}: ${place.reason}` : error.message),
    place ? excerpt(place) : null,
    error.code === "sql_timeout" && longer
      ? h(
          "button",
          { type: "button", onclick: () => ((limit.value = longer), go()) },
          `Try for ${longer.replace("s", " s")}`,
        )
      : null,
  );
  if (shownFor === null) put(result);
  if (
    place &&
    (document.activeElement === area || document.activeElement === document.body || document.activeElement === run)
  )
    point(place);
}

/** The line that is wrong, with a mark below the place. */
function excerpt({ line, column }) {
  const text = area.value.split("\n")[line - 1] ?? "";
  const before = [...text].slice(0, column - 1);
  const from = Math.max(0, before.length - 60);
  const shown = [...text].slice(from, before.length + 60).join("");
  const blanks = before
    .slice(from)
    .map((char) => (char === "\t" ? "\t" : " "))
    .join("");
  return h("pre", { class: "place" }, shown, "\n", blanks, h("b", {}, "▲"));
}

/** Puts the cursor there. */
function point({ line, column }) {
  const lines = area.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const at = before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  const word = /^[\w$"'.]+/.exec(area.value.slice(at))?.[0].length ?? 1;
  area.focus();
  area.setSelectionRange(at, Math.min(at + word, area.value.length));
}

const remembered = () => {
  try {
    const list = JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
};

function remember(one) {
  const rest = remembered().filter(({ sql }) => sql !== one.sql);
  sessionStorage.setItem(HISTORY, JSON.stringify([one, ...rest].slice(0, HISTORY_MAX)));
}

function fillPast(menu, close) {
  const list = remembered();
  put(
    menu,
    list.length ? null : h("p", { class: "soft" }, "Nothing was run in this tab yet."),
    h(
      "div",
      { class: "list" },
      list.map(({ sql, rows, seconds }) =>
        h(
          "button",
          { type: "button", title: sql, onclick: () => (close(), pick(sql)) },
          h("span", { class: "mono clip" }, sql.replace(/\s+/g, " ")),
          h("span", { class: "cnt" }, `${plural(rows, "row")}, ${span(seconds)}`),
        ),
      ),
    ),
    list.length
      ? h(
          "button",
          { type: "button", class: "link", onclick: () => (sessionStorage.removeItem(HISTORY), close()) },
          "Forget them",
        )
      : null,
  );
}

function fillSave(menu, close) {
  const path = (format) => `/sql?format=${format}&within=${limit.value}`;
  const download = async (format) => {
    close();
    try {
      const answer = await request(path(format), {
        method: "POST",
        body: area.value,
        headers: { "content-type": "application/sql" },
      });
      const address = URL.createObjectURL(await answer.blob());
      h("a", { href: address, download: `answer.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      toast(`answer.${format}`);
    } catch (error) {
      refused(error);
    }
  };
  const asCurl = () => {
    close();
    void copy(curl(path("csv"), area.value, "application/sql"), "curl command copied");
  };
  put(
    menu,
    h("p", { class: "soft" }, "Runs it again: all rows, or an error."),
    ["csv", "ndjson"].map((format) =>
      h("button", { type: "button", onclick: () => download(format) }, format.toUpperCase()),
    ),
    h("button", { type: "button", onclick: asCurl }, "Copy a curl command"),
  );
}

area.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  go();
});
shortcut("/", "write a statement", () => area.focus());
shortcut("Ctrl+Enter", "run it", () => false);
shortcut("Escape", "cancel, or leave the editor", () => (running ? running.abort() : area.blur()));
addEventListener("popstate", load);
onResume(() => shownFor === null && void load());
start();
void load();
