// Two values side by side: only what differs is open.

import { h } from "./dom.js";
import { compact, members, plain, same } from "./exact.js";
import { label } from "./filters.js";

/** Members that differ, as `{path, left, right}`, and how many are equal. */
export function differences(left, right) {
  const paths = new Map(
    [...members(left, "payload", 8), ...members(right, "payload", 8)].map(([path]) => [path, true]),
  );
  const leftOf = new Map(members(left, "payload", 8)),
    rightOf = new Map(members(right, "payload", 8));
  const different = [];
  let equal = 0;
  for (const path of paths.keys()) {
    if (same(leftOf.get(path), rightOf.get(path)) && leftOf.has(path) === rightOf.has(path)) equal++;
    else different.push({ path, left: leftOf.get(path), right: rightOf.get(path) });
  }
  return { different, equal };
}

const cut = (text) => (text.length > 2000 ? `${text.slice(0, 2000)}…` : text);

/** The differences as two columns with captions. */
export function sideBySide(captions, different, equal) {
  const cell = (side, path, value) =>
    value === undefined
      ? h("div", { class: "none", "data-side": side }, `${label(path)}: not there`)
      : h(
          "div",
          { "data-side": side },
          `${label(path)}: `,
          h("mark", {}, cut(typeof value === "string" ? JSON.stringify(value) : compact(value))),
        );
  return h(
    "div",
    { class: "diff" },
    captions.map((text) => h("div", { class: "cap" }, text)),
    different.map(({ path, left, right }) => [cell(captions[0], path, left), cell(captions[1], path, right)]),
    equal ? h("div", { class: "fold" }, `… ${equal} equal ${equal === 1 ? "member" : "members"}`) : null,
  );
}

/** A dialog that compares two events. */
export function compareEvents(first, second) {
  const own = (event) => ({ source: event.source, timestamp: event.timestamp, topic: event.topic });
  const heads = ["topic", "source", "timestamp"]
    .filter((name) => own(first)[name] !== own(second)[name])
    .map((name) => ({ path: name, left: own(first)[name], right: own(second)[name] }));
  const { different, equal } = differences(first.payload, second.payload);
  const captions = [first, second].map((event) => `${plain(event.event_id)}, number ${event.seq}`);
  const dialog = h(
    "dialog",
    { "aria-label": "Difference" },
    h("h2", {}, different.length + heads.length ? "What differs" : "Nothing differs"),
    sideBySide(captions, [...heads, ...different], equal),
    h(
      "form",
      { method: "dialog" },
      h(
        "div",
        { class: "line", css: { "margin-top": "10px" } },
        h("button", { class: "push", autofocus: true }, "Close"),
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
