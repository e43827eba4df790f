import { deliver, type Delivered, type RefusedEvent } from "./delivery.js";
import { NotPublished, SekaliError, Unavailable } from "./errors.js";
import { byteLength, encodeEvent, type Event, newEventId } from "./event.js";
import { Backoff, type Connection, Http } from "./http.js";

/** Batches on disk, for the time that the server is away; `sekali/spool` has one for Node. */
export interface Spool {
  /** Number of events in it. */
  readonly events: number;
  /** Adds a batch and returns once it is on disk; `false` if there is no room. */
  append(lines: string[]): Promise<boolean>;
  /** Returns the oldest batch. */
  first(): Promise<{ name: string; lines: string[] } | undefined>;
  /** Removes a batch that was stored or refused. */
  remove(name: string): Promise<void>;
  /** Lets others use it. */
  close(): Promise<void>;
}

/** Options of a publisher. */
export interface PublisherOptions extends Connection {
  /** Source of events that have none. */
  source?: string;
  /** For events that the server does not take at the moment. Without it they wait in memory. */
  spool?: Spool;
  /** Limit of a request; 500 unless given. */
  batchEvents?: number;
  /** Limit of a request; 1 MiB unless given. */
  batchBytes?: number;
  /** Limit of the events in memory; 32 MiB unless given. Beyond it `publish` waits. */
  bufferBytes?: number;
  /** Milliseconds that an event waits for others to share its request; 100 unless given. */
  linger?: number;
  /** Called for each event that the server refuses for good. */
  onRefused?: (refused: RefusedEvent) => void;
  /** Called when the server stops taking events, with the reason. */
  onUnavailable?: (error: Unavailable) => void;
}

/** Counts of a publisher since it was made. */
export interface PublisherStats {
  stored: number;
  duplicates: number;
  conflicts: number;
  refused: number;
  /** In memory. */
  waiting: number;
  /** On disk. */
  spooled: number;
}

interface Line {
  text: string;
  bytes: number;
}

interface Batch {
  lines: string[];
  /** Name in the spool. */
  spooled?: string;
}

const MIB = 1024 * 1024;

/**
 * Sends events in the background, in batches, and again until each is stored.
 *
 * An event has its id from the moment of `publish`, so that no retry stores it twice. It is safe
 * once it is counted as stored or duplicate, or once it is in the spool.
 */
export class Publisher {
  readonly #http: Http;
  readonly #options: PublisherOptions;
  readonly #batchEvents: number;
  readonly #batchBytes: number;
  readonly #bufferBytes: number;
  readonly #changed = new Signal();
  readonly #totals = { stored: 0, duplicates: 0, conflicts: 0, refused: 0 };
  readonly #loop: Promise<void>;
  #lines: Line[] = [];
  #bytes = 0;
  #sending: Batch | undefined;
  #flushing = 0;
  #state: "open" | "closing" | "closed" = "open";
  #trouble: string | undefined;

  constructor(options: PublisherOptions = {}) {
    this.#options = options;
    this.#http = new Http(options);
    this.#batchEvents = options.batchEvents ?? 500;
    this.#batchBytes = options.batchBytes ?? MIB;
    this.#bufferBytes = options.bufferBytes ?? 32 * MIB;
    this.#loop = this.#run();
  }

  /**
   * Takes an event to be sent, waiting for room if the buffer is full, and returns its id.
   *
   * @throws InvalidEvent for an event that the server would refuse
   */
  async publish(event: Event): Promise<string> {
    const eventId = event.eventId ?? newEventId();
    const source = event.source ?? this.#options.source ?? "";
    const text = encodeEvent({ ...event, eventId, source });
    const line = { text, bytes: byteLength(text) };
    while (this.#state === "open" && !this.#hasRoom(line)) await this.#changed.wait();
    if (this.#state !== "open") throw new SekaliError("the publisher is closed");
    this.#lines.push(line);
    this.#bytes += line.bytes;
    this.#changed.notify();
    return eventId;
  }

  /** Waits until no event waits any more; `false` if that takes longer than so many milliseconds. */
  async flush(timeout = Number.POSITIVE_INFINITY): Promise<boolean> {
    this.#flushing += 1;
    this.#changed.notify();
    try {
      return await this.#emptyWithin(timeout);
    } finally {
      this.#flushing -= 1;
    }
  }

  /** Returns the counts since the publisher was made. */
  stats(): PublisherStats {
    const sending = this.#sending !== undefined && this.#sending.spooled === undefined ? this.#sending.lines.length : 0;
    const spooled = this.#options.spool?.events ?? 0;
    return { ...this.#totals, waiting: this.#lines.length + sending, spooled };
  }

  /**
   * Sends what waits, for up to so many milliseconds, and spools the rest.
   *
   * @throws NotPublished if there is a rest and no spool that takes it
   */
  async close(timeout = 10_000): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#changed.notify();
    await this.#emptyWithin(timeout);
    this.#state = "closed";
    this.#changed.notify();
    await this.#loop;
    await this.#putAside(true);
    await this.#options.spool?.close();
    const left = this.stats().waiting;
    if (left > 0) throw new NotPublished(left, this.#trouble);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #isEmpty(): boolean {
    return this.#lines.length === 0 && this.#sending === undefined && this.stats().spooled === 0;
  }

  #hasRoom(line: Line): boolean {
    return this.#lines.length === 0 || this.#bytes + line.bytes <= this.#bufferBytes;
  }

  async #emptyWithin(timeout: number): Promise<boolean> {
    const end = performance.now() + timeout;
    while (!this.#isEmpty && this.#state !== "closed") {
      const rest = end - performance.now();
      if (rest <= 0) return false;
      await this.#changed.wait(rest);
    }
    return this.#isEmpty;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff();
    while (await this.#waitForBatch()) {
      try {
        this.#sending ??= await this.#next();
        if (this.#sending === undefined) continue;
        const delivered = await deliver(this.#http, this.#sending.lines);
        await this.#end(delivered);
        backoff.reset();
      } catch (error) {
        const unavailable = error instanceof Unavailable ? error : new Unavailable(String(error));
        await this.#noteFailure(unavailable, backoff);
      }
    }
  }

  /** Waits for a full batch, or for some events and the linger. `false` once closed. */
  async #waitForBatch(): Promise<boolean> {
    while (this.#state !== "closed" && this.#isEmpty) await this.#changed.wait();
    const end = performance.now() + (this.#options.linger ?? 100);
    while (!this.#mustSend()) {
      const rest = end - performance.now();
      if (rest <= 0) break;
      await this.#changed.wait(rest);
    }
    return this.#state !== "closed";
  }

  #mustSend(): boolean {
    const isFull = this.#lines.length >= this.#batchEvents || this.#bytes >= this.#batchBytes;
    const isLate = this.#sending !== undefined || this.stats().spooled > 0;
    return this.#state !== "open" || this.#flushing > 0 || isFull || isLate;
  }

  async #next(): Promise<Batch | undefined> {
    const spooled = await this.#options.spool?.first();
    if (spooled !== undefined) return { lines: spooled.lines, spooled: spooled.name };
    return this.#lines.length === 0 ? undefined : { lines: this.#take() };
  }

  async #end(delivered: Delivered): Promise<void> {
    const spooled = this.#sending?.spooled;
    if (spooled !== undefined) await this.#options.spool?.remove(spooled);
    this.#sending = undefined;
    this.#trouble = undefined;
    this.#totals.stored += delivered.stored;
    this.#totals.duplicates += delivered.duplicates;
    this.#totals.conflicts += delivered.conflicts;
    this.#totals.refused += delivered.refused;
    this.#changed.notify();
    for (const refused of delivered.refusedEvents) this.#options.onRefused?.(refused);
  }

  async #noteFailure(error: Unavailable, backoff: Backoff): Promise<void> {
    if (this.#trouble === undefined) this.#options.onUnavailable?.(error);
    this.#trouble = error.message;
    const end = performance.now() + backoff.next(error.retryAfter);
    while (this.#state !== "closed") {
      await this.#putAside(false).catch((failed: unknown) => (this.#trouble = String(failed)));
      const rest = end - performance.now();
      if (rest <= 0) return;
      await this.#changed.wait(Math.min(rest, 1_000));
    }
  }

  /** Moves whole batches, or everything, to the spool. They stay in memory where it is full. */
  async #putAside(everything: boolean): Promise<void> {
    const spool = this.#options.spool;
    if (spool === undefined) return;
    if (this.#sending !== undefined && this.#sending.spooled === undefined) {
      if (!(await spool.append(this.#sending.lines))) return;
      this.#sending = undefined;
    }
    while (this.#lines.length > 0 && (everything || this.#lines.length >= this.#batchEvents)) {
      const batch = this.#lines.slice(0, this.#batchLength());
      if (!(await spool.append(batch.map((line) => line.text)))) return;
      this.#drop(batch);
      this.#changed.notify();
    }
  }

  #take(): string[] {
    const batch = this.#lines.slice(0, this.#batchLength());
    this.#drop(batch);
    return batch.map((line) => line.text);
  }

  #batchLength(): number {
    let bytes = 0;
    let length = 0;
    for (const line of this.#lines) {
      if (length > 0 && (length === this.#batchEvents || bytes + line.bytes > this.#batchBytes)) break;
      bytes += line.bytes;
      length += 1;
    }
    return length;
  }

  #drop(batch: Line[]): void {
    this.#lines = this.#lines.slice(batch.length);
    for (const line of batch) this.#bytes -= line.bytes;
  }
}

/** Wakes all who wait. */
class Signal {
  #waiting = new Set<() => void>();

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  wait(milliseconds = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(milliseconds) ? setTimeout(() => wake(), milliseconds) : undefined;
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }
}
