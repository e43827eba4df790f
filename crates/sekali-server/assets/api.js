// Requests to the server that sent this page, and to no other.

import { parse } from "./exact.js";

const KEY = "sekali.key";

/** The API key of this tab. The browser forgets it with the tab. */
export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (text) => (text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY)),
};

/** A refusal: `code` and `message` are the server's. */
export class Refused extends Error {
  constructor(status, body, headers) {
    super(body.message || `the server answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.retryAfter = Number(headers.get("retry-after")) || 0;
  }
}

/** The server was not reached. */
export class Unreached extends Error {}

/** Told of every answer: `heard(status)`, and of none: `heard(0)`. */
const listeners = new Set();
export const onHeard = (listener) => listeners.add(listener);
const heard = (status, error) => listeners.forEach((listener) => listener(status, error));

/** The answer of the server, before its body is read. */
export async function request(path, { signal, method = "GET", body, headers = {} } = {}) {
  const shown = key.get();
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body,
      signal,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      headers: { ...headers, ...(shown ? { authorization: `Bearer ${shown}` } : {}) },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    heard(0);
    throw new Unreached("the server does not answer");
  }
  if (answer.ok || path === "/readyz") {
    heard(answer.status);
    return answer;
  }
  const text = await answer.text().catch(() => "");
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    problem = { message: text.slice(0, 200) };
  }
  const error = new Refused(answer.status, problem, answer.headers);
  heard(answer.status, error);
  throw error;
}

/** The JSON of an answer, and its headers. Overload is met with patience: twice, as the server says. */
export async function ask(path, options = {}) {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await request(path, options);
      return { data: parse(await answer.text()), headers: answer.headers };
    } catch (error) {
      if (error.code !== "overloaded" || tries === 2 || options.method === "POST") throw error;
      await pause((error.retryAfter || 1) * 1000 * (1 + Math.random() / 2), options.signal);
    }
  }
}

/** Waits, or ends with the signal. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** Whether an error only says that the answer is not wanted any more. */
export const isAborted = (error) => error?.name === "AbortError";

/** The query text of pairs. */
export const query = (pairs) => {
  const text = new URLSearchParams(
    pairs.filter(([, value]) => value !== undefined && value !== null && value !== ""),
  ).toString();
  return text ? `?${text}` : "";
};

/** The path of one event, and of its page. */
export const eventPath = (topic, id) => `/events/${encodeURIComponent(topic)}/${encodeURIComponent(id)}`;
export function pagePath(topic, id) {
  // A browser takes `.` and `..` out of a path, however they are written.
  const isLost = [topic, id].some((text) => text === "." || text === "..");
  return isLost
    ? `/explore${query([
        ["topic", topic],
        ["event_id", id],
      ])}`
    : `/event/${encodeURIComponent(topic)}/${encodeURIComponent(id)}`;
}

/** One event, or nothing. A topic with a star would be a pattern in a query. */
export async function findEvent(topic, id, options) {
  if (!topic.includes("*"))
    return (
      await ask(
        `/events${query([
          ["topic", topic],
          ["event_id", id],
        ])}`,
        options,
      )
    ).data[0];
  return ask(eventPath(topic, id), options).then(
    ({ data }) => data,
    (error) => (error.status === 404 ? undefined : Promise.reject(error)),
  );
}

/** Text as one word of a shell. */
export const quoted = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;

/** A request as a command line. The key is named, not shown. */
export function curl(path, body, type = "application/json") {
  const parts = ["curl", quoted(location.origin + path)];
  if (key.get()) parts.push(`-H "authorization: Bearer $SEKALI_KEY"`);
  if (body !== undefined) parts.push(`-H 'content-type: ${type}'`, `-d ${quoted(body)}`);
  return parts.join(" ");
}
