// The overview: is the server taking my events, once?

import { Refused, ask, curl, isAborted, query } from "./api.js";
import { Bars, legend, spark } from "./chart.js";
import { by, card, copyable, facts, h, put, say } from "./dom.js";
import { ago, bytes, count, day, plural, rfc3339, share, short, span } from "./format.js";
import { sendCard } from "./send.js";
import { onResume, showState, start, stateIsKnown, trouble } from "./shell.js";

const POLL_MS = 2_000;
const SPARKS_MS = 60_000;
const HISTORY_SECONDS = 900;
const HISTORY_SECONDS_MIN = 180;
const TOPICS_SHOWN = 50;
const HOUR_MS = 3_600_000;

const view = {};
let stats = null;
let sparksOf = { received: -1, at: 0, hours: 24, lines: new Map() };

function build() {
  view.sentence = h("h1", { class: "sentence" }, " ");
  view.rates = h("section", { class: "card s8" });
  view.chart = h("div", {});
  view.span = h("span", {}, "last 15 min");
  put(view.rates, h("h2", {}, "Events a second", view.span, legend(SERIES)), view.chart);
  view.bars = new Bars(view.chart, {
    height: 190,
    label: "Events a second over the last 15 minutes: new, repeats and conflicts",
  });
  view.rates.querySelector(".key").before(view.bars.button);
  view.store = card("s3", "Store", (view.storeFacts = h("div", {})));
  view.checked = card("s3", "Checked", (view.checkedFacts = h("div", {})));
  view.index = card("s3", "Known ids", (view.indexFacts = h("div", {})));
  view.latency = card("s3", "On disk when answered", (view.latencyFacts = h("div", {})));
  view.topics = h("section", { class: "card" });
  view.empty = h("section", { class: "card", hidden: true });
  put(
    by("main"),
    view.sentence,
    h(
      "div",
      { class: "grid" },
      view.empty,
      view.rates,
      sendCard(refresh),
      view.latency,
      view.store,
      view.index,
      view.checked,
      view.topics,
    ),
  );
}

const SERIES = [
  { label: "new", color: "--new" },
  { label: "repeat", color: "--dup" },
  { label: "conflict", color: "--conflict" },
];

/** The sentence made of numbers. */
function showSentence() {
  const {
    received,
    unique_processed: stored,
    duplicate_dropped: repeats,
    conflicts,
    oldest,
    expired,
    unidentified,
  } = stats;
  if (!received) {
    put(
      view.sentence,
      "Nothing received yet. Every event sent here is stored ",
      h("em", { class: "n" }, "once"),
      ", however often it is sent.",
    );
    return;
  }
  const first = oldest?.map((one) => one.received_at).sort()[0];
  const since = first && !expired?.events ? ` since ${day(first)}` : "";
  put(
    view.sentence,
    h("em", {}, count(received)),
    ` ${received === 1 ? "event" : "events"} received${since}: `,
    h("em", { class: "n" }, `${count(stored)} stored`),
    ", each once",
    repeats
      ? [", and ", h("a", { href: "/integrity" }, h("em", { class: "d" }, plural(repeats, "repeat"))), " recognised"]
      : ". No repeat so far",
    ".",
    conflicts
      ? [
          " ",
          h("a", { href: "/integrity" }, h("em", { class: "c" }, count(conflicts))),
          " of those said something else under a known id; both versions are kept.",
        ]
      : null,
    unidentified
      ? [
          " ",
          h("a", { href: "/integrity" }, h("em", { class: "c" }, count(unidentified))),
          ` came without an id since the start: sent again, ${unidentified === 1 ? "it is" : "they are"} stored again.`,
        ]
      : null,
  );
}

function showFacts() {
  const { storage, index, scrub, damage, oldest, expired, queued_bytes: queued, uptime_seconds: uptime, torn } = stats;
  view.store.hidden = view.checked.hidden = view.index.hidden = !storage;
  if (!storage) return;
  const sum = (list, name) => list.reduce((total, one) => total + one[name], 0);
  put(
    view.storeFacts,
    facts([
      ["log, not yet sealed", bytes(sum(storage, "log_bytes"))],
      [
        "Parquet segments",
        sum(storage, "segments")
          ? `${bytes(sum(storage, "segment_bytes"))} in ${sum(storage, "segments")}`
          : "none yet",
      ],
      ["free", bytes(Math.min(...storage.map((one) => one.free_bytes)))],
      queued ? ["waiting to be written", bytes(queued)] : ["queue", "empty"],
      storage.some((one) => one.sealing_failed) && [
        "sealing failed",
        storage.find((one) => one.sealing_failed).sealing_failed,
        "bad",
      ],
    ]),
  );
  put(
    view.indexFacts,
    facts([
      ["in memory", count(sum(index, "entries_in_memory"))],
      ["on disk", count(sum(index, "entries_in_runs"))],
      ["bytes on disk", bytes(sum(index, "disk_bytes"))],
      ["look-ups since start", short(sum(index, "look_ups"))],
    ]),
  );
  const first = oldest.map((one) => one.received_at).sort()[0];
  put(
    view.checkedFacts,
    facts([
      [
        "all read, verified",
        scrub.last_finished
          ? ago(scrub.last_finished)
          : scrub.pass_bytes
            ? `${bytes(scrub.pass_bytes)} so far`
            : "within the week",
      ],
      ["damaged", damage.length ? `${damage.length}` : "none", damage.length ? "bad" : "n"],
      ["oldest event", first ? ago(first) : "none"],
      expired.events ? ["expired", count(expired.events)] : ["running for", span(Math.round(uptime))],
      torn?.tails ? ["cut off at start", bytes(torn.bytes), "c"] : null,
    ]),
  );
}

function showEmpty() {
  view.empty.hidden = stats.received > 0;
  if (stats.received || view.empty.childElementCount) return;
  const event = {
    topic: "demo",
    event_id: "id-1",
    timestamp: rfc3339(Date.now()),
    source: "curl",
    payload: { message: "hello" },
  };
  put(
    view.empty,
    h("h2", {}, "Three ways to send the first event"),
    h(
      "div",
      { class: "ways" },
      copyable(`sekali publish --count 5000 --dup-ratio 0.2 --url ${location.origin}`),
      copyable(curl("/publish", JSON.stringify(event))),
      h("p", { class: "soft" }, "or the form below: publish, then publish again."),
    ),
  );
}

async function showRates() {
  try {
    const { data } = await ask("/stats/history");
    const { interval_seconds: step, starts, stored, duplicates, conflicts } = data;
    showLatency(data.acknowledged);
    const seconds = starts.map((text) => Date.parse(text) / 1000);
    const each = (list) => list.map((value) => value / step);
    const until = seconds.at(-1) + step;
    // A young server has no quarter of an hour to show.
    const from = Math.max(until - HISTORY_SECONDS, Math.min(seconds[0], until - HISTORY_SECONDS_MIN));
    say(view.span, `last ${Math.round((until - from) / 60)} min`);
    view.bars.show(
      seconds,
      step,
      [
        { ...SERIES[0], values: each(stored) },
        { ...SERIES[1], values: each(duplicates.map((value, at) => value - conflicts[at])) },
        { ...SERIES[2], values: each(conflicts) },
      ],
      { shown: [from, until] },
    );
    view.rates.hidden = false;
  } catch (error) {
    if (error instanceof Refused) view.rates.hidden = true;
  }
}

/** Sparklines are counted again only if something was received, and not often. */
async function refreshSparks(topics) {
  if (sparksOf.received === stats.received || Date.now() - sparksOf.at < SPARKS_MS) return;
  sparksOf = { ...sparksOf, received: stats.received, at: Date.now() };
  // A young store has nothing to show in a day.
  const first = Math.min(...topics.map((topic) => Date.parse(topic.first_timestamp)));
  const [hours, step] = Date.now() - first < 2 * HOUR_MS ? [1, "1m"] : [24, "30m"];
  sparksOf.hours = hours;
  const since = rfc3339(Math.floor(Date.now() / 60_000 - 60 * hours) * 60_000);
  try {
    const { data } = await ask(
      `/events/count${query([
        ["by", "topic"],
        ["interval", step],
        ["since", since],
        ["until", rfc3339(Date.now())],
        ["top", TOPICS_SHOWN],
        ["within", "1s"],
      ])}`,
    );
    sparksOf.lines = new Map(data.series.map(({ key: [topic], counts }) => [topic, counts]));
  } catch {
    // The table is right without them.
  }
}

async function showTopics() {
  const { data: topics } = await ask(`/topics?limit=1000`);
  if (topics.length) await refreshSparks(topics);
  view.topics.hidden = !topics.length;
  topics.sort((a, b) => b.events - a.events);
  const shown = topics.slice(0, TOPICS_SHOWN);
  const more = stats.topic_count - shown.length;
  const row = (topic) => {
    const line = sparksOf.lines.get(topic.topic);
    return h(
      "tr",
      {},
      h(
        "td",
        { class: "clip" },
        h("a", { class: "strong", href: `/explore${query([["topic", topic.topic]])}` }, topic.topic),
      ),
      h("td", { class: "r" }, count(topic.events)),
      h("td", { class: "r soft" }, share(topic.events, stats.unique_processed)),
      h("td", {}, line ? spark(line) : h("span", { class: "faint" }, "none")),
      h("td", { class: "r soft" }, topic.last_timestamp ? ago(topic.last_timestamp) : ""),
      h("td", { class: "r soft" }, bytes(topic.bytes)),
    );
  };
  const cells = ["topic", "events", "of all", sparksOf.hours === 1 ? "last hour" : "last 24 h", "newest", "bytes"].map(
    (name, at) => h("th", { scope: "col", class: [1, 2, 4, 5].includes(at) ? "r" : "" }, name),
  );
  put(
    view.topics,
    h("h2", {}, "Topics", h("span", {}, count(stats.topic_count))),
    h("div", { class: "wide" }, h("table", {}, h("thead", {}, h("tr", {}, cells)), h("tbody", {}, shown.map(row)))),
    more > 0
      ? h(
          "p",
          { class: "soft" },
          `and ${plural(more, "more topic")}: `,
          h("a", { class: "btn", href: "/explore" }, "explore all"),
        )
      : null,
  );
}

/** How long requests waited until their events were on disk. */
function showLatency(acknowledged) {
  const figure = (seconds, name) => [span(seconds), " ", h("small", {}, name)];
  put(
    view.latencyFacts,
    acknowledged
      ? h("p", { class: "big" }, figure(acknowledged.p50_seconds, "p50"), figure(acknowledged.p99_seconds, "p99"))
      : h("p", { class: "big faint" }, "–"),
    h(
      "p",
      { class: "soft" },
      acknowledged ? `${plural(acknowledged.requests, "request")} in 15 min` : "no request in 15 min",
    ),
    h("p", { class: "soft" }, "No answer before the disk has it."),
  );
}

let running = null;
async function refresh() {
  running?.abort();
  const turn = (running = new AbortController());
  try {
    const { data } = await ask("/stats", { signal: turn.signal });
    const isChanged = stats?.received !== data.received || !stats;
    stats = data;
    by("state").dataset.version = data.version;
    showState(data.status, data.version, undefined, data.damage);
    by("main").classList.remove("stale");
    showSentence();
    showFacts();
    showEmpty();
    await Promise.all([
      showRates(),
      isChanged || Date.now() - (view.topicsAt ?? 0) > 10_000 ? ((view.topicsAt = Date.now()), showTopics()) : null,
    ]);
  } catch (error) {
    if (isAborted(error)) return;
    if (stats) by("main").classList.add("stale");
    else put(view.sentence, trouble(error, refresh));
  }
}

async function keepRefreshing() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

build();
start();
stateIsKnown();
onResume(refresh);
void keepRefreshing();
