// The form that publishes one event, and publishes it again.

import { ask, curl, pagePath } from "./api.js";
import { copy, h, put, say } from "./dom.js";
import { compact, parse } from "./exact.js";
import { count, plural, rfc3339 } from "./format.js";

/** Publish one event, and publish it again. */
export function sendCard(sent) {
  const draft = () =>
    `{"topic": "orders", "event_id": "${Math.random().toString(36).slice(2, 8)}",\n "timestamp": "${rfc3339(Math.floor(Date.now() / 1000) * 1000)}",\n "source": "this page",\n "payload": {"total": 9.5}}`;
  const area = h("textarea", { rows: "6", spellcheck: "false", "aria-label": "Event as JSON", name: "event" }, draft());
  const outcome = h("p", { class: "soft", role: "status", id: "outcome" }, "Stored once, however often you send it.");
  const send = h("button", { class: "primary" }, "Publish");
  const fresh = h(
    "button",
    {
      type: "button",
      class: "bare",
      onclick: () => ((area.value = draft()), put(outcome, "A new id."), say(send, "Publish")),
    },
    "new id",
  );
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      const { data } = await ask("/publish?verbose=true", {
        method: "POST",
        body: area.value,
        headers: { "content-type": "application/json" },
      });
      const [first] = data.events;
      const link =
        first && h("a", { class: "strong", href: pagePath(first.topic, first.event_id) }, `event ${first.seq}`);
      const words =
        data.events.length > 1
          ? `${count(data.stored)} stored, ${plural(data.duplicates, "repeat")}, ${plural(data.conflicts, "conflict")}.`
          : {
              stored: [h("b", { class: "n" }, "Stored"), " as ", link, ". Send it again."],
              duplicate: [h("b", {}, "A repeat"), " of ", link, ". Nothing was stored twice."],
              conflict: [
                h("b", { class: "c" }, "A conflict"),
                " with ",
                link,
                ": same id, other content. Both are kept.",
              ],
            }[first?.outcome];
      put(outcome, words);
      say(send, "Publish again");
      sent();
    } catch (error) {
      put(
        outcome,
        h(
          "span",
          { class: "bad" },
          error.errors?.[0]
            ? `${error.message}: ${error.errors[0].field ?? ""} ${error.errors[0].reason}`
            : error.message,
        ),
      );
    }
    send.disabled = false;
  };
  const asCurl = h(
    "button",
    { type: "button", onclick: () => copy(curl("/publish", oneLine(area.value)), "curl command copied") },
    "Copy as curl",
  );
  return h(
    "section",
    { class: "card s4" },
    h("h2", {}, "Send one, then send it again"),
    h(
      "form",
      { onsubmit: submit },
      area,
      h("div", { class: "line", css: { margin: "8px 0 6px" } }, send, asCurl, fresh),
    ),
    outcome,
    h("p", { class: "faint" }, "Change the total and send it again to see a conflict."),
  );
}

function oneLine(text) {
  try {
    return compact(parse(text));
  } catch {
    return text;
  }
}
