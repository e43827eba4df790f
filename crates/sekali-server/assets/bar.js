// The bar above the explorer: topic, time, text, chips.

import { ask, curl, isAborted, key, query } from "./api.js";
import { copy, h, put, toast } from "./dom.js";
import { asLine, grouped, including, label, meaning, parseLine, without } from "./filters.js";
import { count, readTime, zone } from "./format.js";

const PRESETS = [
  ["15m", "last 15 min"],
  ["1h", "last hour"],
  ["24h", "last 24 h"],
  ["7d", "last 7 days"],
  ["", "all times"],
];

/** A button with something below it, closed by Escape or a click elsewhere. */
export function popup(text, name, fill, look = "") {
  const button = h(
    "button",
    { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", title: name },
    text,
  );
  const box = h("div", { class: "pop" }, button);
  const close = () => {
    box.querySelector(".menu")?.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (event) => box.contains(event.target) || close();
  const open = () => {
    const menu = h("div", { class: `menu ${look}`, role: "dialog", "aria-label": name });
    box.append(menu);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    fill(menu, close);
    menu.querySelector("input, button")?.focus();
  };
  button.addEventListener("click", () => (box.querySelector(".menu") ? close() : open()));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.querySelector(".menu")) return;
    event.stopPropagation();
    close();
    button.focus();
  });
  box.say = (next) => (button.textContent = next);
  return box;
}

export class Bar {
  /** `page` has `filters`, `view`, `go(filters, view)`. */
  constructor(place, page) {
    this.page = page;
    this.input = h("input", {
      class: "q",
      type: "search",
      placeholder: "text anywhere, or status=500, duration_ms>=100, path~^/api/",
      "aria-label": "Search: text, or field = value",
      autocomplete: "off",
      spellcheck: "false",
      enterkeyhint: "search",
    });
    this.form = h("form", { role: "search", onsubmit: (event) => (event.preventDefault(), this.submit()) }, this.input);
    this.topic = popup("all topics ▾", "Topic", (menu, close) => this.fillTopics(menu, close));
    this.time = popup("all times ▾", "Time", (menu, close) => this.fillTimes(menu, close));
    this.zone = h("button", {
      type: "button",
      title: "switch between UTC and local time (z)",
      onclick: () => this.toggleZone(),
    });
    this.follow = h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        title: "show new events as they come (f)",
        onclick: () => page.toggleFollow(),
      },
      "▸ Follow",
    );
    this.save = popup(
      "Download ▾",
      "Download everything that matches",
      (menu, close) => this.fillSave(menu, close),
      "right",
    );
    const link = h(
      "button",
      { type: "button", title: "copy the link of this view (y)", onclick: () => this.copyLink() },
      "Link",
    );
    this.fieldsButton = h(
      "button",
      {
        type: "button",
        title: "show or hide the fields ([)",
        "aria-label": "Fields",
        onclick: () => page.toggleFields(),
      },
      "Fields",
    );
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Filters" });
    this.summary = h("span", { class: "summary", role: "status" });
    place.append(
      h(
        "div",
        { class: "bar" },
        this.fieldsButton,
        this.topic,
        this.time,
        this.form,
        this.zone,
        this.follow,
        this.save,
        link,
      ),
      this.chips,
    );
    this.input.addEventListener(
      "keydown",
      (event) => event.key === "Escape" && (this.stopEditing(), this.input.blur()),
    );
  }

  /** Shows what the address bar says; `refused` are names with the server's reasons. */
  show(refused = new Map()) {
    const { filters, view } = this.page;
    const topics = filters.filter(([name]) => name === "topic").map(([, value]) => value);
    this.topic.say(
      `${topics.length === 0 ? "all topics" : topics.length === 1 ? topics[0].slice(0, 40) : `${topics.length} topics`} ▾`,
    );
    const since = filters.findLast(([name]) => name === "since")?.[1],
      until = filters.findLast(([name]) => name === "until")?.[1];
    const preset = !until && PRESETS.find(([value]) => value === (since ?? ""));
    this.time.say(`${preset ? preset[1] : `${since ?? "begin"} → ${until ?? "now"}`} ▾`);
    this.zone.textContent = zone.name;
    this.follow.setAttribute("aria-pressed", Boolean(view.follow));
    const chips = grouped(filters).filter(
      ([name]) =>
        !["topic", "since", "until"].includes(name) || refused.has(name) || (name === "topic" && topics.length > 1),
    );
    put(
      this.chips,
      chips.map(([name, values]) => this.chip(name, values, refused.get(name))),
      chips.length > 1
        ? h(
            "button",
            {
              class: "bare",
              type: "button",
              onclick: () => this.page.go(filters.filter(([name]) => ["topic", "since", "until"].includes(name))),
            },
            "clear",
          )
        : null,
      this.summary,
    );
  }

  chip(name, values, problem) {
    const { field, operator, isNot } = meaning(name);
    const words =
      field === "text"
        ? [isNot ? "without text " : "text "]
        : field === "has"
          ? [isNot ? "lacks " : "has "]
          : [isNot ? "not " : "", h("b", {}, label(field)), operator && !isNot ? `${operator} ` : ""];
    const text = values
      .map((value) => (field === "text" ? `“${value}”` : field === "has" ? label(value) : value))
      .join(" or ");
    const edit = h("button", { type: "button", title: "edit", onclick: () => this.edit(name, values) }, words, text);
    const remove = h(
      "button",
      {
        class: "x",
        type: "button",
        "aria-label": `remove filter ${name}`,
        onclick: () => this.page.go(without(this.page.filters, name)),
      },
      "×",
    );
    return h(
      "span",
      { class: `chip${isNot ? " not" : ""}${problem ? " refused" : ""}` },
      edit,
      problem ? h("span", { class: "why", role: "alert" }, problem) : null,
      remove,
    );
  }

  edit(name, values) {
    this.editing = name;
    this.input.value = asLine(values.map((value) => [name, value]));
    this.input.focus();
    this.input.select();
  }

  stopEditing() {
    this.editing = null;
    this.input.value = "";
    this.input.setCustomValidity("");
  }

  submit() {
    let added;
    try {
      added = parseLine(this.input.value);
    } catch (error) {
      this.input.setCustomValidity(error.message);
      this.input.reportValidity();
      this.input.addEventListener("input", () => this.input.setCustomValidity(""), { once: true });
      return;
    }
    const single = ["q", "since", "until"].filter((name) => added.some(([other]) => other === name));
    let filters = without(this.page.filters, ...single, ...(this.editing ? [this.editing] : []));
    for (const [name, value] of added) filters = including(filters, name, value);
    this.stopEditing();
    this.input.blur();
    this.page.go(filters);
  }

  async fillTopics(menu, close) {
    const input = h("input", { placeholder: "find a topic, or web.*", "aria-label": "Find a topic" });
    const list = h("div", { class: "list" });
    put(menu, input, list);
    let topics = [];
    const chosen = new Set(this.page.filters.filter(([name]) => name === "topic").map(([, value]) => value));
    const pick = (topic, also) => {
      const rest = also
        ? this.page.filters.filter(([name, value]) => name !== "topic" || value !== topic)
        : without(this.page.filters, "topic");
      const isOff = also && chosen.has(topic);
      close();
      this.page.go(topic === null || isOff ? rest : [...rest, ["topic", topic]], { columns: undefined });
    };
    const show = () => {
      const text = input.value.trim();
      const found = topics.filter(({ topic }) => topic.toLowerCase().includes(text.toLowerCase().replaceAll("*", "")));
      put(
        list,
        text
          ? h("button", { type: "button", onclick: () => pick(text) }, `topic “${text}”`)
          : h("button", { type: "button", onclick: () => pick(null) }, "all topics"),
        found.slice(0, 200).map(({ topic, events }) =>
          h(
            "button",
            {
              type: "button",
              title: "with Shift: one more topic",
              "aria-pressed": chosen.has(topic),
              onclick: (event) => pick(topic, event.shiftKey),
            },
            h("span", {}, topic),
            h("span", { class: "cnt" }, count(events)),
          ),
        ),
        text
          ? null
          : h(
              "button",
              { type: "button", onclick: () => pick("$conflicts") },
              h("span", {}, "$conflicts"),
              h("span", { class: "cnt" }, "kept conflicts"),
            ),
      );
    };
    input.addEventListener("input", show);
    input.addEventListener(
      "keydown",
      (event) => event.key === "Enter" && input.value.trim() && pick(input.value.trim()),
    );
    input.focus();
    show();
    try {
      topics = (await ask("/topics?limit=10000")).data.sort((a, b) => b.events - a.events);
      show();
    } catch (error) {
      if (!isAborted(error)) put(list, error.message);
    }
  }

  fillTimes(menu, close) {
    const { filters } = this.page;
    const now = (name) => filters.findLast(([other]) => other === name)?.[1] ?? "";
    const go = (since, until) => {
      close();
      const rest = without(filters, "since", "until");
      this.page.go([...rest, ...(since ? [["since", since]] : []), ...(until ? [["until", until]] : [])]);
    };
    const field = (name, text) =>
      h("input", {
        name,
        value: text,
        placeholder: "2026-11-29 21:00, 1764450000, 3h",
        spellcheck: "false",
      });
    const since = field("since", now("since")),
      until = field("until", now("until"));
    const problem = h("p", { class: "bad", role: "alert" });
    const apply = (event) => {
      event.preventDefault();
      const read = [since, until].map((input) => readTime(input.value));
      if (read.includes(null))
        return void (problem.textContent =
          "Paste a time like 2026-11-29 21:00:05, seconds since 1970, or 3h for three hours ago.");
      go(...read);
    };
    put(
      menu,
      h(
        "div",
        { class: "list" },
        PRESETS.map(([value, text]) =>
          h(
            "button",
            { type: "button", "aria-pressed": now("since") === value && !now("until"), onclick: () => go(value, "") },
            text,
          ),
        ),
      ),
      h(
        "form",
        { onsubmit: apply, class: "list" },
        h("label", {}, `from, ${zone.name}`, since),
        h("label", {}, "until", until),
        problem,
        h("button", { class: "primary" }, "Apply"),
      ),
    );
  }

  fillSave(menu, close) {
    const { filters, view } = this.page;
    const path = (format, columns) =>
      `/events${query([...filters, ["format", format], ["columns", columns], ["download", "events"]])}`;
    // A link cannot carry a key: there is a command for that.
    const choice = (name, address) =>
      key.get()
        ? h(
            "button",
            { type: "button", onclick: () => (close(), copy(`${curl(address)} -OJ`, "curl command copied")) },
            `Copy a curl command for ${name}`,
          )
        : h("a", { class: "btn", href: address, download: "", onclick: close }, name);
    put(
      menu,
      h("p", { class: "soft" }, "Everything that matches, not only what is loaded."),
      view.columns ? choice("CSV, these columns", path("csv", `timestamp,${view.columns}`)) : null,
      [
        ["CSV", "csv"],
        ["NDJSON", "ndjson"],
        ["Parquet", "parquet"],
      ].map(([name, format]) => choice(name, path(format))),
    );
  }

  async copyLink() {
    await copy(location.href, "link copied");
  }

  toggleZone() {
    const isLocal = !zone.isLocal;
    zone.set(isLocal);
    this.page.go(this.page.filters, { zone: isLocal ? "local" : undefined }, true);
    toast(`times are ${isLocal ? "local" : "UTC"}`);
  }
}
