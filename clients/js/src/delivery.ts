import { Refused, Unavailable } from "./errors.js";
import type { Http } from "./http.js";

/** An event that the server refused for good, as it was sent, and the reason. */
export interface RefusedEvent {
  event: Record<string, unknown>;
  reason: string;
}

/** Outcome of a batch. */
export interface Delivered {
  stored: number;
  duplicates: number;
  conflicts: number;
  refused: number;
  /** At most those that the server named. */
  refusedEvents: RefusedEvent[];
}

interface Answer {
  stored: number;
  duplicates: number;
  conflicts: number;
  invalid?: number;
  errors?: { index: number; field: string; reason: string }[];
}

// Statuses that may be due to single events of a batch.
const EVENT_STATUSES = new Set([400, 403, 413, 422]);

/**
 * Publishes encoded events. Invalid ones are left out by the server and named by it. If it refuses a
 * whole request for one of its events, the batch is halved until that event is alone.
 *
 * @throws Unavailable if all of the batch is to be sent again; stored events are duplicates then
 */
export async function deliver(http: Http, batch: string[]): Promise<Delivered> {
  const delivered: Delivered = { stored: 0, duplicates: 0, conflicts: 0, refused: 0, refusedEvents: [] };
  const parts = [batch];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    try {
      count(await post(http, part), part, delivered);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A wrong key or address is mended by people; the events are kept until then.
      if (!EVENT_STATUSES.has(error.status)) throw new Unavailable(error.message);
      if (part.length > 1) {
        const middle = part.length >> 1;
        parts.push(part.slice(middle), part.slice(0, middle));
      } else {
        delivered.refused += 1;
        delivered.refusedEvents.push({ event: parse(part[0]), reason: error.message });
      }
    }
  }
  return delivered;
}

function post(http: Http, part: string[]): Promise<Answer> {
  const headers = { "content-type": "application/x-ndjson" };
  return http.json<Answer>("/publish", { method: "POST", headers, body: part.join("\n") }, { invalid: "skip" });
}

function count(answer: Answer, part: string[], delivered: Delivered): void {
  delivered.stored += answer.stored;
  delivered.duplicates += answer.duplicates;
  delivered.conflicts += answer.conflicts;
  delivered.refused += answer.invalid ?? 0;
  const reasons = new Map<number, string[]>();
  for (const error of answer.errors ?? []) {
    const found = reasons.get(error.index) ?? [];
    reasons.set(error.index, [...found, `${error.field} ${error.reason}`.trim()]);
  }
  for (const [index, found] of reasons) {
    delivered.refusedEvents.push({ event: parse(part[index]), reason: found.join("; ") });
  }
}

function parse(line: string | undefined): Record<string, unknown> {
  return line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>);
}
