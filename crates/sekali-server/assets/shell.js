// What all pages share: the state of the server, the key, shortcuts.

import { ask, key, onHeard } from "./api.js";
import { by, copyable, h, put } from "./dom.js";
import { span } from "./format.js";

const STATES = {
  ready: "ready",
  degraded: "ready, with damage",
  read_only: "read only: the disk is full",
  stopped: "stopped",
};
const POLL_MS = 5_000;
const POLL_MS_MAX = 15_000;

let lastHeard = Date.now();
let failures = 0;
let shownState = "";

/** Runs when the server is back, a key was entered, or the page is seen again. */
const resumes = new Set();
export const onResume = (listener) => resumes.add(listener);
const resume = () => resumes.forEach((listener) => listener());

/** Shows the state of the server: a word at the top, and what to do where it is not ready. */
export function showState(state, version, reason, damage = []) {
  shownState = state;
  const word =
    state === "offline"
      ? `not reached, ${span(Math.round((Date.now() - lastHeard) / 1000))}`
      : (STATES[state] ?? state);
  put(
    by("state"),
    h("span", { class: `dot ${state}` }),
    word,
    version ? h("span", { class: "extra" }, ` · ${version}`) : null,
  );
  document.body.classList.toggle("disconnected", state === "offline");
  const text = {
    offline: ["The server does not answer.", "The figures are the last ones known. This page goes on trying."],
    stopped: [
      "The server has stopped taking events: a write or sync failed.",
      "What was acknowledged is safe. Check the disk, then start it again.",
    ],
    read_only: [
      "The disk has too little free space, so nothing new is stored.",
      "Publishing is refused and reading goes on. It ends by itself once there is space.",
    ],
    degraded: [
      "Stored data is damaged.",
      "Everything else is served. This command tells what is lost, and how to mend it:",
    ],
  }[state];
  const banner = by("banner");
  banner.hidden = !text;
  banner.className = state === "stopped" || state === "offline" ? "bad" : "";
  if (!text) return;
  const shape = JSON.stringify([state, reason, damage]);
  if (banner.dataset.shape === shape) return;
  banner.dataset.shape = shape;
  const list = damage.length
    ? h(
        "ul",
        {},
        damage.slice(0, 5).map((line) => h("li", {}, line)),
        damage.length > 5 ? h("li", {}, `and ${damage.length - 5} more`) : null,
      )
    : null;
  put(
    banner,
    h("b", {}, text[0]),
    " ",
    text[1],
    reason ? [" ", h("code", {}, reason)] : null,
    list,
    state === "degraded" ? copyable("sekali verify --data-dir DIR") : null,
  );
}

onHeard((status, error) => {
  if (status === 0) {
    failures++;
    showState("offline");
    return;
  }
  lastHeard = Date.now();
  const wasAway = failures > 0;
  failures = 0;
  if (wasAway) {
    void poll();
    resume();
  }
  if (status === 401) askForKey(key.get() ? "This key is not valid here: it is mistyped, expired or revoked." : "");
  if (error?.code === "storage_full") void poll();
});

let paused = false;
/** Pages that know the state better say so, and the shell does not ask. */
export const stateIsKnown = () => (paused = true);

async function poll() {
  try {
    const { data } = await ask("/readyz");
    if (!paused || data.status !== "ready" || shownState !== "ready")
      showState(data.status, by("state").dataset.version, data.reason, data.damage);
  } catch {
    // The listener above has shown it.
  }
}

async function keepPolling() {
  for (;;) {
    if (!document.hidden && (!paused || failures)) await poll();
    await new Promise((done) =>
      setTimeout(done, failures ? Math.min(POLL_MS_MAX, 1000 * 2 ** Math.min(failures, 4)) : POLL_MS),
    );
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) resume();
});

/** Asks for a key once, however many requests were refused. */
export function askForKey(problem = "") {
  const open = by("key-form");
  if (open) {
    if (problem) open.querySelector(".problem").textContent = problem;
    return;
  }
  const input = h("input", {
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "sekali_…",
    "aria-label": "API key",
    autofocus: true,
    required: true,
  });
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        const text = input.value.trim();
        if (!/^[\x21-\x7e]+$/.test(text))
          return void (dialog.querySelector(".problem").textContent = "A key is one word of ASCII characters.");
        key.set(text);
        dialog.close();
        void poll();
        resume();
      },
    },
    h("p", { class: "problem bad", role: "alert" }, problem),
    input,
    h(
      "div",
      { class: "line" },
      h("span", { class: "faint" }, "Kept in this tab only, sent to this server only."),
      h("button", { class: "primary push" }, "Use key"),
    ),
  );
  const dialog = h(
    "dialog",
    { id: "key-form", "aria-labelledby": "key-title" },
    h("h2", { id: "key-title" }, "This server asks for a key"),
    h(
      "p",
      { class: "soft" },
      "Reading needs a key with the scope ",
      h("code", {}, "read"),
      ". Whoever runs the server makes one with",
    ),
    copyable("sekali keys create --scope read"),
    form,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** What a refusal means for the reader, as something to show in place of the data. */
export function trouble(error, retry) {
  const words = {
    overloaded: ["The server is busy.", "Too much is being read at the same time. Nothing is lost."],
    forbidden: ["This key does not permit it.", error.message],
    shutting_down: ["The server is shutting down.", "This page goes on when it is back."],
    unauthenticated: ["No key, no events.", ""],
  }[error.code] ?? [
    error.status ? "The server refused this." : "The server does not answer.",
    error.status ? error.message : "This page goes on when it is back.",
  ];
  const buttons = [
    retry && h("button", { type: "button", onclick: retry }, "Try again"),
    (error.code === "forbidden" || error.code === "unauthenticated") &&
      h("button", { type: "button", onclick: () => askForKey() }, "Use another key"),
  ];
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("p", {}, h("b", {}, words[0]), " ", words[1]),
    h("p", { class: "line", css: {} }, h("span", { class: "push" }), buttons, h("span", { class: "push" })),
  );
}

const shortcuts = new Map();
/** A key that does something, unless somebody types. */
export const shortcut = (name, meaning, action) => shortcuts.set(name, { meaning, action });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input, textarea, select");
  if (typing && event.key !== "Escape") return;
  if (event.target.closest?.("button, a") && (event.key === "Enter" || event.key === " ")) return;
  const found = shortcuts.get(event.key);
  if (!found) return;
  if (found.action(event) !== false) event.preventDefault();
});

function showHelp() {
  const rows = [...shortcuts]
    .filter(([, { meaning }]) => meaning)
    .map(([name, { meaning }]) => [h("kbd", {}, name), h("span", {}, meaning)]);
  const dialog = h(
    "dialog",
    { "aria-label": "Keyboard shortcuts" },
    h("h2", {}, "Keys"),
    h("div", { class: "keys" }, rows),
    h(
      "form",
      { method: "dialog" },
      h(
        "div",
        { class: "line" },
        key.get()
          ? h("button", { class: "link", onclick: () => (key.set(""), location.reload()) }, "Forget the API key")
          : null,
        h("button", { class: "push", autofocus: true }, "Close"),
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Starts what is common. Call it when the page has its own parts. */
export function start() {
  shortcut("?", "this list", showHelp);
  by("help").addEventListener("click", showHelp);
  void keepPolling();
}
