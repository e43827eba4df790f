// Figures, sizes and times as people read them.

const FIGURES = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (number) => FIGURES.format(number);
export const short = (number) =>
  number < 10_000 ? FIGURES.format(Math.round(number * 10) / 10) : SHORT.format(number);
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** A share: `20.0%`, and never 0% or 100% where that is not exact. */
export function share(part, whole) {
  if (!whole) return "";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return "<0.1%";
  if (part < whole && percent > 99.9) return ">99.9%";
  return percent >= 99.95 ? "100%" : `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

export function bytes(number) {
  if (number < 1000) return `${number} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = number,
    at = -1;
  while (value >= 999.5 && at < units.length - 1) ((value /= 1000), at++);
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

/** A time span in seconds: `0.8 s`, `12 min`, `3 d`. */
export function span(seconds) {
  const value = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (value === 0) return "0 s";
  if (value < 0.001) return `${sign}${(value * 1e6).toPrecision(2)} µs`;
  if (value < 1) return `${sign}${Number((value * 1000).toPrecision(2))} ms`;
  if (value < 10) return `${sign}${Number(value.toFixed(1))} s`;
  if (value < 100) return `${sign}${Math.round(value)} s`;
  if (value < 100 * 60) return `${sign}${Math.round(value / 60)} min`;
  if (value < 48 * 3600) return `${sign}${Math.round(value / 3600)} h`;
  return `${sign}${count(Math.round(value / 86400))} d`;
}

/** How long ago a moment is. */
export function ago(time, now = Date.now()) {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < -2) return `in ${span(-seconds)}`;
  return seconds < 2 ? "just now" : `${span(Math.round(seconds))} ago`;
}

/** The zone of all times: `utc` or `local`. The address bar decides, then what was chosen last. */
export const zone = {
  get isLocal() {
    return (new URLSearchParams(location.search).get("zone") ?? localStorage.getItem("sekali.zone")) === "local";
  },
  set(isLocal) {
    localStorage.setItem("sekali.zone", isLocal ? "local" : "utc");
  },
  get name() {
    if (!this.isLocal) return "UTC";
    const offset = -new Date().getTimezoneOffset();
    return `UTC${offset < 0 ? "−" : "+"}${Math.floor(Math.abs(offset) / 60)}${offset % 60 ? `:${Math.abs(offset % 60)}` : ""}`;
  },
};

const two = (number) => String(number).padStart(2, "0");

/** The parts of a moment in the zone. */
function parts(date) {
  const shifted = zone.isLocal ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date;
  return [
    `${shifted.getUTCFullYear()}-${two(shifted.getUTCMonth() + 1)}-${two(shifted.getUTCDate())}`,
    `${two(shifted.getUTCHours())}:${two(shifted.getUTCMinutes())}:${two(shifted.getUTCSeconds())}`,
  ];
}

/** A timestamp of the API in the zone, with `digits` of the fraction; `undefined` means all it has. */
export function time(text, digits) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return String(text);
  const [day, clock] = parts(date);
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  const shown = digits === undefined ? fraction : fraction.padEnd(digits, "0").slice(0, digits);
  return `${day} ${clock}${shown ? `.${shown}` : ""}`;
}

/** The same, without the day where that is today. */
export function clock(text) {
  const whole = time(text, 3);
  return whole.slice(0, 10) === parts(new Date())[0] ? whole.slice(11) : whole;
}

/** A day in words. */
export function day(text) {
  const date = new Date(text);
  if (parts(date)[0] === parts(new Date())[0]) return "today";
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "long",
    ...(date.getUTCFullYear() === new Date().getUTCFullYear() ? {} : { year: "numeric" }),
    timeZone: zone.isLocal ? undefined : "UTC",
  }).format(date);
}

/** An interval in words: `minute`, `15 minutes`. */
export function interval(seconds) {
  for (const [size, name] of [
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ]) {
    if (seconds % size === 0) return seconds === size ? name : `${count(seconds / size)} ${name}s`;
  }
  return `${seconds} seconds`;
}

/** RFC 3339 of milliseconds. */
export const rfc3339 = (milliseconds) => new Date(milliseconds).toISOString().replace(/\.000Z$/, "Z");

/** A pasted timestamp as the API takes it, or `null`: RFC 3339, seconds or milliseconds since 1970, ago. */
export function readTime(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  if (/^\d+(s|m|h|d|w)$|^(now|today|yesterday)$/.test(trimmed)) return trimmed;
  if (/^\d{9,10}(\.\d+)?$/.test(trimmed)) return rfc3339(Number(trimmed) * 1000);
  if (/^\d{12,13}$/.test(trimmed)) return rfc3339(Number(trimmed));
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?([.,]\d+)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(trimmed);
  if (!match) return null;
  const [, date, minute, second, fraction, offset] = match;
  const written = `${date}T${minute ?? "00:00"}${second ?? ":00"}${(fraction ?? "").replace(",", ".")}`;
  if (offset)
    return (
      written +
      offset
        .toUpperCase()
        .replace("UTC", "Z")
        .replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")
    );
  if (!zone.isLocal) return `${written}Z`;
  const moment = new Date(written);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}
