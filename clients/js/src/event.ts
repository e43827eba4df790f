import { InvalidEvent } from "./errors.js";

/** A value that JSON can express. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** An event to publish. The server keeps one copy of each `(topic, eventId)`. */
export interface Event {
  /** 1 to 255 bytes, without control characters, not beginning with `$`. */
  topic: string;
  /** Up to 1 MiB of JSON. */
  payload: object;
  /** 1 to 512 bytes. An id that the event has anyway, or a new one that all its retries keep. */
  eventId?: string;
  /** Now, unless given. A string is sent as it is. */
  timestamp?: Date | string;
  /** Up to 255 bytes. */
  source?: string;
}

/** An event as the server returns it. */
export interface StoredEvent {
  topic: string;
  event_id: string;
  timestamp: string;
  source: string;
  payload: { [name: string]: Json };
  seq: number;
  received_at: string;
}

const PAYLOAD_BYTES_MAX = 1024 * 1024;
const encoder = new TextEncoder();

/** Number of bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Returns a new id: a UUID of version 7, so that ids of one sender sort by time. */
export function newEventId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  const now = Date.now();
  view.setUint32(0, Math.floor(now / 0x10000));
  view.setUint16(4, now % 0x10000);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const at = (from: number, to: number) => hex.slice(from, to);
  return `${at(0, 8)}-${at(8, 12)}-${at(12, 16)}-${at(16, 20)}-${at(20, 32)}`;
}

/**
 * Encodes an event as a line of JSON without its line break.
 *
 * @throws InvalidEvent if the server would refuse it for a member that can be checked here
 */
export function encodeEvent(event: Event & { eventId: string }): string {
  check("topic", event.topic, 1, 255);
  if (event.topic.startsWith("$")) {
    throw new InvalidEvent(`topic ${event.topic} is reserved: it begins with $`);
  }
  check("eventId", event.eventId, 1, 512);
  const source = event.source ?? "";
  check("source", source, 0, 255);
  if (typeof event.payload !== "object" || event.payload === null || Array.isArray(event.payload)) {
    throw new InvalidEvent("payload must be an object");
  }
  const payload = encodePayload(event.payload);
  if (byteLength(payload) > PAYLOAD_BYTES_MAX) {
    throw new InvalidEvent("payload has more than 1 MiB of JSON");
  }
  const members = {
    topic: event.topic,
    event_id: event.eventId,
    timestamp: timestamp(event.timestamp ?? new Date()),
    source,
  };
  return `${JSON.stringify(members).slice(0, -1)},"payload":${payload}}`;
}

function encodePayload(payload: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw new InvalidEvent(`payload is not JSON: ${String(error)}`);
  }
  if (text === undefined || !text.startsWith("{")) throw new InvalidEvent("payload must be an object");
  return text;
}

function check(name: string, value: string, least: number, most: number): void {
  if (typeof value !== "string") throw new InvalidEvent(`${name} must be a string`);
  const bytes = byteLength(value);
  if (bytes < least) throw new InvalidEvent(`${name} is empty`);
  if (bytes > most) throw new InvalidEvent(`${name} has ${bytes} bytes, more than ${most}`);
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value)) {
    throw new InvalidEvent(`${name} contains a control character`);
  }
}

function timestamp(value: Date | string): string {
  if (typeof value === "string") return value;
  if (Number.isNaN(value.getTime())) throw new InvalidEvent("timestamp is an invalid date");
  return value.toISOString();
}
