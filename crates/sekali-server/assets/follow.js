// Following: new events as they become durable, oldest on top, the end in view. It pauses when the
// reader scrolls up, selects text or looks elsewhere, and says so.

import { Refused, ask, isAborted, pause, query, request } from "./api.js";
import { h, put } from "./dom.js";
import { parse } from "./exact.js";
import { plural } from "./format.js";

const ROWS_MAX = 2_000;
const WAITING_MAX = 2_000;
const FIRST = 100;
/** No event is from so far ahead: a search for one finds nothing but the end. */
const PACE_MS = 50;

export class Follow {
  constructor(place, page) {
    Object.assign(this, { page, waiting: [], missed: 0, isPaused: false });
    this.words = h("span", { role: "status" });
    this.button = h(
      "button",
      { type: "button", onclick: () => (this.isPaused ? this.resume() : this.pause()) },
      "Pause",
    );
    this.bar = h(
      "div",
      { class: "follow-bar", hidden: true },
      h("span", { class: "dot ready" }),
      this.words,
      this.button,
      h("button", { type: "button", class: "push", onclick: () => page.toggleFollow() }, "Stop following"),
    );
    place.append(this.bar);
    const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 40;
    addEventListener(
      "scroll",
      () => {
        if (!this.isOn || this.isScrolling) return;
        if (!atEnd()) this.pause();
        else if (this.isPaused && !this.byHand) this.resume();
      },
      { passive: true },
    );
    document.addEventListener(
      "selectionchange",
      () => this.isOn && !getSelection().isCollapsed && getSelection().toString() && this.pause(),
    );
    document.addEventListener("visibilitychange", () => this.isOn && document.hidden && this.pause());
  }

  async start(signal) {
    Object.assign(this, {
      isOn: true,
      isPaused: false,
      byHand: false,
      waiting: [],
      missed: 0,
      seen: new Set(),
      cursor: null,
      signal,
    });
    this.bar.hidden = false;
    this.say("connecting …");
    signal.addEventListener("abort", () => {
      this.isOn = false;
      this.bar.hidden = true;
    });
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10_000)) {
      try {
        await this.connect();
        wait = 250;
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        if (error instanceof Refused && error.status >= 400 && error.status < 500) {
          this.say(error.message);
          this.page.refused(error);
          return;
        }
        this.isLost = true;
        this.say("the server does not answer; it goes on where it was when it is back");
      }
      await pause(wait, signal).catch(() => {});
    }
  }

  /** Streams until the server ends it. */
  async connect() {
    const { signal } = this;
    // Without a place to go on from, the newest events are looked up again.
    if (!this.cursor) this.begun = false;
    const where = this.cursor ? [["after", this.cursor]] : [["from", "now"]];
    const filters = this.page.filters.filter(([name]) => name !== "until");
    const answer = await request(`/events/stream${query([...filters, ...where])}`, {
      signal,
      headers: { accept: "text/event-stream" },
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    // The stream is open, so nothing falls between it and the page of rows before it.
    if (!this.begun) await this.begin(filters);
    this.isLost = false;
    this.tell();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const parts = text.split(/\r?\n\r?\n/);
      text = parts.pop();
      for (const part of parts) this.message(part);
    }
  }

  /** One message of the stream. */
  message(text) {
    let name = "message";
    const data = [];
    for (const line of text.split(/\r?\n/)) {
      if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      else if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("id:")) this.cursor = line.slice(3).trim();
    }
    if (!data.length || !["message", "event"].includes(name)) return;
    this.take([parse(data.join("\n"))]);
  }

  /** The newest events before the stream, so that there is something to see. */
  async begin(filters) {
    const { data } = await ask(`/events${query([...filters, ["order", "desc"], ["limit", FIRST]])}`, {
      signal: this.signal,
    });
    this.begun = true;
    this.page.beginRows(data.toReversed());
    data.forEach((event) => this.seen.add(`${event.topic}\n${event.event_id}`));
    this.toEnd();
  }

  /** Shows new events, or keeps them while paused. */
  take(events) {
    const fresh = events.filter((event) => !this.seen.has(`${event.topic}\n${event.event_id}`));
    fresh.forEach((event) => this.seen.add(`${event.topic}\n${event.event_id}`));
    if (this.seen.size > 4 * ROWS_MAX) this.seen = new Set([...this.seen].slice(-2 * ROWS_MAX));
    this.waiting.push(...fresh);
    if (this.waiting.length > WAITING_MAX)
      this.missed += this.waiting.splice(0, this.waiting.length - WAITING_MAX).length;
    // One event is shown at once; many become one change of the page.
    const wait = Math.max(0, (this.drawn ?? 0) + PACE_MS - Date.now());
    if (!this.isPaused && !this.drawing && this.waiting.length) this.drawing = setTimeout(() => this.drain(), wait);
    this.tell();
  }

  drain() {
    this.drawing = null;
    this.drawn = Date.now();
    if (this.isPaused || !this.isOn) return;
    const events = this.waiting.splice(0);
    // Columns and their widths are those of the first events that there are.
    if (this.page.rows.rows.length) this.page.rows.add(events, { fresh: true });
    else if (events.length) this.page.beginRows(events);
    this.page.grown();
    this.page.rows.trim(ROWS_MAX);
    this.toEnd();
    this.tell();
  }

  toEnd() {
    this.isScrolling = true;
    scrollTo(0, document.documentElement.scrollHeight);
    requestAnimationFrame(() => requestAnimationFrame(() => (this.isScrolling = false)));
  }

  pause() {
    if (this.isPaused) return;
    this.isPaused = true;
    this.tell();
  }

  resume() {
    this.isPaused = false;
    this.drain();
    this.toEnd();
  }

  tell() {
    if (this.isLost) return;
    this.bar.classList.toggle("paused", this.isPaused);
    this.button.textContent = this.isPaused ? "Resume" : "Pause";
    const missed = this.missed ? `, ${plural(this.missed, "older one", "older ones")} not kept here` : "";
    this.say(
      this.isPaused
        ? `paused · ${plural(this.waiting.length, "new event")}${missed}`
        : `following · newest at the bottom${missed}`,
    );
  }

  say(text) {
    if (this.words.textContent !== text) put(this.words, text);
  }
}
