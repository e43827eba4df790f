import { hostname } from "node:os";
import { Writable } from "node:stream";
import { NotPublished } from "./errors.js";
import { Publisher } from "./publisher.js";
import { DirectorySpool } from "./spool.js";

/** Options of the transport; all are plain values, because pino hands them to a worker thread. */
export interface PinoOptions {
  url?: string;
  key?: string;
  /** `pino` unless given. */
  topic?: string;
  /** The name of the host unless given. */
  source?: string;
  /** Directory for records while the server is away. */
  spool?: string;
}

/**
 * A transport of pino: `pino({transport: {target: "sekali/pino", options: {topic: "app.log"}}})`.
 * Each record becomes an event with a new id; its time is the record's.
 */
export default function transport(options: PinoOptions = {}): Writable {
  const { topic = "pino", source = hostname(), spool, ...connection } = options;
  const publisher = new Publisher({
    ...connection,
    source,
    ...(spool === undefined ? {} : { spool: new DirectorySpool(spool) }),
    onRefused: (refused) => process.emitWarning(`a log record was refused: ${refused.reason}`),
  });
  let rest = "";
  const publish = async (line: string): Promise<void> => {
    if (line === "") return;
    const { payload, time } = record(line);
    const timestamp = typeof time === "number" ? new Date(time) : new Date();
    try {
      await publisher.publish({ topic, payload, timestamp });
    } catch (error) {
      process.emitWarning(`a log record was not taken: ${String(error)}`);
    }
  };
  return new Writable({
    decodeStrings: false,
    async write(chunk: Buffer | string, _encoding, done) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) await publish(line);
      done();
    },
    async final(done) {
      await publish(rest);
      publisher.close().then(
        () => done(),
        (error: unknown) => done(error instanceof NotPublished ? error : new Error(String(error))),
      );
    },
  });
}

function record(line: string): { payload: object; time: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { payload: value, time: (value as { time?: unknown }).time };
    }
  } catch {
    // Text that is no record, such as that of a library.
  }
  return { payload: { msg: line }, time: undefined };
}
