import { Refused, Unavailable } from "./errors.js";
import { encodeEvent, type Event, newEventId, type StoredEvent } from "./event.js";
import { Backoff, type Connection, Http, lines, type Params, texts, unreachable } from "./http.js";

/** Outcome of a batch; `received = stored + duplicates`, conflicts included. */
export interface Published {
  received: number;
  stored: number;
  duplicates: number;
  conflicts: number;
}

/** The counts of `/events/count`, as in the server's API documentation. */
export interface Count {
  count: number;
  complete: boolean;
  groups?: { key: unknown[]; count: number }[];
  [member: string]: unknown;
}

/** Events of a consumer, in order, and the cursor behind them. */
export interface Batch {
  events: StoredEvent[];
  cursor: string;
}

/** Which events a consumer has. */
export interface ConsumeOptions {
  /** Filters by their names in the HTTP interface; those of a consumer that exists are replaced. */
  filters?: Params;
  /** Where a new consumer begins: `beginning` (unless given), `now` or a cursor. */
  from?: string;
  /** Most events of a batch; 1,000 unless given. */
  limit?: number;
  /** Milliseconds that a request waits for events, up to 60,000; 30,000 unless given. */
  wait?: number;
}

/** The answer to a statement of SQL. */
export interface Rows {
  columns: string[];
  rows: unknown[][];
  /** False if time, rows or bytes ran out. */
  complete: boolean;
  [member: string]: unknown;
}

// A tail without even a heartbeat for so long is broken.
const TAIL_SILENCE_MS = 60_000;

/**
 * Publishes single batches, and reads. Parameters are those of the HTTP interface by their names,
 * such as `{topic: "orders", "payload.status": 500}`.
 *
 * Every method rejects with `Unavailable` if the server cannot answer now, and with `Refused` if it
 * never will.
 */
export class Client {
  readonly #http: Http;

  constructor(connection: Connection = {}) {
    this.#http = new Http(connection);
  }

  /**
   * Publishes events in one request and resolves once they are stored. Tries again for `retryFor`
   * milliseconds while the server is away. Nothing is stored if one of the events is invalid.
   */
  async publish(events: Event[], retryFor = 60_000): Promise<Published> {
    const body = events.map((event) => encodeEvent({ ...event, eventId: event.eventId ?? newEventId() })).join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    const backoff = new Backoff();
    const end = performance.now() + retryFor;
    for (;;) {
      try {
        return await this.#http.json<Published>("/publish", { method: "POST", headers, body });
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        const wait = backoff.next(error.retryAfter);
        if (performance.now() + wait > end) throw error;
        await sleep(wait);
      }
    }
  }

  /** Returns an event by its key. */
  async get(topic: string, eventId: string): Promise<StoredEvent | undefined> {
    try {
      return await this.#http.json(`/events/${encodeURIComponent(topic)}/${encodeURIComponent(eventId)}`);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Yields matching events as they arrive, all that are stored now or up to `limit`. */
  async *events(params: Params = {}): AsyncGenerator<StoredEvent> {
    // No time limit: a reader may take as long as it likes.
    const init = { headers: { accept: "application/x-ndjson" }, signal: new AbortController().signal };
    const response = await this.#http.send("/events", init, params);
    for await (const line of lines(response)) yield JSON.parse(line) as StoredEvent;
  }

  /** Counts matching events, by groups and over time. */
  count(params: Params = {}): Promise<Count> {
    return this.#http.json("/events/count", {}, params);
  }

  /** Returns the fields that events have, with their most frequent values. */
  fields(params: Params = {}): Promise<Record<string, unknown>> {
    return this.#http.json("/events/fields", {}, params);
  }

  /** Returns quantiles, sum and histogram of a number. */
  stats(field: string, params: Params = {}): Promise<Record<string, unknown>> {
    return this.#http.json("/events/stats", {}, { field, ...params });
  }

  /** Returns the counters and the health of the server. */
  serverStats(): Promise<Record<string, unknown>> {
    return this.#http.json("/stats");
  }

  /** Runs a statement of SQL that reads; `?` in it stands for the next parameter. */
  sql(statement: string, parameters: (string | number | boolean | null)[] = [], within?: string): Promise<Rows> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ sql: statement, parameters });
    return this.#http.json("/sql", { method: "POST", headers, body }, { format: "json", within });
  }

  /**
   * Yields batches of events behind the position that the server keeps under `name`. A batch is
   * acknowledged when the next one is asked for, so that a crash or an exception before that brings
   * it again. Goes on by itself when the server was away. For ever: `break` ends it, without
   * acknowledging the last batch.
   */
  async *consume(name: string, options: ConsumeOptions = {}): AsyncGenerator<Batch> {
    const path = `/consumers/${encodeURIComponent(name)}`;
    const wait = options.wait ?? 30_000;
    await this.#patiently(path, "PUT", { filters: texts(options.filters), from: options.from ?? "beginning" });
    const params = { limit: options.limit ?? 1_000, wait: `${wait}ms` };
    for (;;) {
      const response = await this.#patiently(`${path}/events`, "GET", undefined, params, wait);
      if (response.events.length === 0) continue;
      yield response;
      await this.#patiently(`${path}/ack`, "POST", { cursor: response.cursor });
    }
  }

  /** Repeats a request until the server answers. */
  async #patiently(path: string, method: string, body?: unknown, params: Params = {}, wait = 0): Promise<Batch> {
    const backoff = new Backoff();
    for (;;) {
      try {
        const signal = AbortSignal.timeout(30_000 + wait);
        const init = body === undefined ? { method, signal } : { method, signal, body: JSON.stringify(body) };
        const response = await this.#http.send(path, init, params);
        const events = (await response.json().catch((error: unknown) => Promise.reject(unreachable(error)))) as StoredEvent[];
        return { events, cursor: response.headers.get("x-ack-cursor") ?? "" };
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await sleep(backoff.next(error.retryAfter));
      }
    }
  }

  /**
   * Yields matching events as they are stored, for ever, from now on or behind a cursor. Reconnects
   * by itself, without a gap and without a repeat.
   */
  async *tail(params: Params = {}, cursor?: string): AsyncGenerator<StoredEvent> {
    const backoff = new Backoff();
    const position = { cursor };
    for (;;) {
      let retryAfter: number | undefined;
      try {
        for await (const event of this.#tailOnce(params, position)) {
          backoff.reset();
          yield event;
        }
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        retryAfter = error.retryAfter;
      }
      await sleep(backoff.next(retryAfter));
    }
  }

  async *#tailOnce(params: Params, position: { cursor: string | undefined }): AsyncGenerator<StoredEvent> {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (position.cursor !== undefined) headers["last-event-id"] = position.cursor;
    const silence = new AbortController();
    const watch = () => setTimeout(() => silence.abort(), TAIL_SILENCE_MS);
    let timer = watch();
    try {
      const response = await this.#http.send("/events/stream", { headers, signal: silence.signal }, params);
      let name = "message";
      let data: string[] = [];
      // A connection may break between the id of a message and its data.
      let cursor = position.cursor;
      for await (const line of lines(response)) {
        clearTimeout(timer);
        timer = watch();
        const [member, value] = split(line);
        if (member === "id") cursor = value;
        else if (member === "event") name = value;
        else if (member === "data") data.push(value);
        if (line !== "" && line !== "\r") continue;
        const [ended, text] = [name, data.join("\n")];
        [name, data] = ["message", []];
        position.cursor = cursor;
        if (ended === "message" && text !== "") yield JSON.parse(text) as StoredEvent;
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }
}

/** Splits a line of an event stream (WHATWG HTML, section 9.2). */
function split(line: string): [string, string] {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const colon = text.indexOf(":");
  if (colon < 0) return [text, ""];
  const value = text.slice(colon + 1);
  return [text.slice(0, colon), value.startsWith(" ") ? value.slice(1) : value];
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
