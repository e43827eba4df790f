import { type ErrorDetail, Refused, Unavailable } from "./errors.js";

/** Address and key of a server, and how to reach it. */
export interface Connection {
  /** `http://127.0.0.1:8080` unless given. */
  url?: string;
  /** API key. */
  key?: string;
  /** Milliseconds until a request is given up; 30,000 unless given. */
  timeout?: number;
  /** Another implementation of `fetch`. */
  fetch?: typeof fetch;
}

/** Values of parameters; a list repeats its parameter, `undefined` leaves it out. */
export type Params = Record<string, Value | Value[]>;
type Value = string | number | boolean | Date | undefined;

// Statuses after which the same request may succeed later. 502 and 504 come from proxies.
const RETRIED = new Set([408, 425, 429, 502, 503, 504]);
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;

/** Requests to one server. */
export class Http {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;
  readonly #fetch: typeof fetch;

  constructor(connection: Connection) {
    this.#base = (connection.url ?? "http://127.0.0.1:8080").replace(/\/+$/, "");
    this.#headers = connection.key === undefined ? {} : { authorization: `Bearer ${connection.key.trim()}` };
    this.#timeout = connection.timeout ?? 30_000;
    this.#fetch = connection.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Sends a request and returns its response if that is a success. */
  async send(path: string, init: RequestInit = {}, params: Params = {}): Promise<Response> {
    const signal = init.signal ?? AbortSignal.timeout(this.#timeout);
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    let response: Response;
    try {
      response = await this.#fetch(this.#base + path + query(params), { ...init, headers, signal });
    } catch (error) {
      throw unreachable(error);
    }
    if (response.ok) return response;
    throw await failure(response);
  }

  /** Sends a request and returns its answer. */
  async json<T>(path: string, init: RequestInit = {}, params: Params = {}): Promise<T> {
    const response = await this.send(path, init, params);
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw unreachable(error);
    }
  }
}

/** Waits between attempts: doubled up to 10 s, jittered, at least what the server asks for. */
export class Backoff {
  #bound = FIRST_WAIT_MS;

  /** Returns the next wait in milliseconds. */
  next(retryAfter: number | undefined): number {
    const wait = (retryAfter ?? 0) * 1_000 + Math.random() * this.#bound;
    this.#bound = Math.min(this.#bound * 2, LONGEST_WAIT_MS);
    return wait;
  }

  /** Begins anew after a success. */
  reset(): void {
    this.#bound = FIRST_WAIT_MS;
  }
}

/** Returns the error for a request without an answer. */
export function unreachable(error: unknown): Unavailable {
  if (error instanceof Unavailable) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return new Unavailable(`no answer from the server: ${String(error)}${cause}`);
}

/** Yields the lines of a response as they arrive. A last line without an end is incomplete. */
export async function* lines(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  } catch (error) {
    throw unreachable(error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function failure(response: Response): Promise<Unavailable | Refused> {
  let code = "";
  let message = response.statusText;
  let errors: ErrorDetail[] = [];
  try {
    const body = (await response.json()) as { code?: string; message?: string; errors?: ErrorDetail[] };
    code = body.code ?? code;
    message = body.message ?? message;
    errors = body.errors ?? errors;
  } catch {
    // The answer of a proxy.
  }
  if (!RETRIED.has(response.status)) return new Refused(response.status, code, message, errors);
  const asked = Number.parseFloat(response.headers.get("retry-after") ?? "");
  const text = `${response.status} ${code}: ${message}`;
  return Number.isFinite(asked) ? new Unavailable(text, Math.max(0, asked)) : new Unavailable(text);
}

/** Parameters as texts, without those that are undefined. */
export function texts(params: Params = {}): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(params)) {
    const values = (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined);
    if (values.length > 0) found[name] = values.map((one) => (one instanceof Date ? one.toISOString() : String(one)));
  }
  return found;
}

function query(params: Params): string {
  const pairs = new URLSearchParams();
  for (const [name, values] of Object.entries(texts(params))) {
    for (const value of values) pairs.append(name, value);
  }
  return pairs.size === 0 ? "" : `?${pairs.toString()}`;
}
