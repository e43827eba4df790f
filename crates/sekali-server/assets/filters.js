// Filters: the parameters of the API, as they stand in the address bar, as chips, and as one line
// of text. All three say the same.

import { plain } from "./exact.js";

/** Parameters of the address bar that are not filters of the API. */
export const VIEW = ["by", "columns", "compare", "follow", "zone", "sample"];
const PLAIN_NAMES = ["topic", "source", "event_id", "since", "until", "q", "has"];
const OPERATORS = { not: "not", min: "≥", below: "<", match: "matches" };

/** What the address bar says: `filters` as pairs, and the view. */
export function read() {
  const filters = [],
    view = {};
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (VIEW.includes(name)) view[name] = value;
    else filters.push([name, value]);
  }
  return { filters, view };
}

/** The address of this page with these filters and view. */
export function address(filters, view) {
  const pairs = [
    ...filters,
    ...Object.entries(view).filter(([, value]) => value !== undefined && value !== "" && value !== false),
  ];
  const text = new URLSearchParams(pairs).toString();
  return `${location.pathname}${text ? `?${text}` : ""}`;
}

/** The operator, field and negation of a parameter. */
export function meaning(name) {
  const [head, ...rest] = name.split(".");
  const field = rest.join(".");
  if (name === "q" || name === "not.q")
    return { field: "text", operator: name === "q" ? "" : "not", isNot: name !== "q" };
  if (name === "has" || name === "not.has")
    return { field: "has", operator: name === "has" ? "" : "not", isNot: name !== "has" };
  if (name === "since" || name === "until") return { field: name, operator: "", isNot: false };
  if (rest.length && OPERATORS[head]) return { field, operator: OPERATORS[head], isNot: head === "not" };
  return { field: name, operator: "", isNot: false };
}

/** A field without what every field of a payload begins with. */
export const label = (field) => (field.startsWith("payload.") ? field.slice(8) : field);

/** The value of a filter that matches exactly this value of a payload: strings that look like others are in quotes. */
export function filterValue(field, value) {
  if (!field.startsWith("payload.")) return plain(value);
  if (typeof value !== "string") return plain(value);
  const isOther = /^-?\d/.test(value) || ["true", "false", "null", ""].includes(value) || value.startsWith('"');
  return isOther ? JSON.stringify(value) : value;
}

/** Filters with the same parameter, which are alternatives: `[name, values]`. */
export function grouped(filters) {
  const groups = new Map();
  for (const [name, value] of filters) groups.set(name, [...(groups.get(name) ?? []), value]);
  return [...groups];
}

/** Adds one value, without its opposite. */
export function including(filters, name, value) {
  const opposite = name.startsWith("not.") ? name.slice(4) : `not.${name}`;
  const rest = filters.filter(([other, text]) => !((other === opposite || other === name) && text === value));
  return [...rest, [name, value]];
}

export const without = (filters, ...names) => filters.filter(([name]) => !names.includes(name));

/** A range of a number: replaces other ranges of the field. */
export const between = (filters, field, from, below) => [
  ...without(filters, `min.${field}`, `below.${field}`),
  [`min.${field}`, String(from)],
  ...(below === undefined ? [] : [[`below.${field}`, String(below)]]),
];

const isParameter = (name) =>
  PLAIN_NAMES.includes(name) ||
  /^(not|match)\.(topic|source|event_id|payload\..+|has|q)$/.test(name) ||
  /^((min|below)\.)?payload\..+$/.test(name);

/** The words of a line; text in quotes is one word. */
function words(line) {
  return [...line.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g)].map(([word]) => word);
}

/**
 * Reads a line into filters. `name=value` is a parameter of the API, and a bare name one of the
 * payload; `!=`, `>=`, `<` and `~` are understood; other words are searched for as text.
 */
export function parseLine(line) {
  const filters = [],
    text = [];
  for (const word of words(line)) {
    const match = /^([\p{L}\p{N}_$][^\s"=<>~!]*?)(!=|>=|<=|=|<|>|!~|~)(.*)$/su.exec(word);
    if (!match) {
      text.push(word.replace(/^"((?:[^"\\]|\\.)*)"?$/, (_, inner) => inner.replace(/\\(.)/g, "$1")));
      continue;
    }
    const [, written, operator, rest] = match;
    const value = /^".*\s.*"$/s.test(rest) ? rest.slice(1, -1).replace(/\\(.)/g, "$1") : rest;
    const known = isParameter(written);
    const name = known ? written : `payload.${written}`;
    if (operator === "=") filters.push([name, value]);
    else if (operator === "!=") filters.push([`not.${name}`, value]);
    else if (operator === ">=") filters.push([`min.${name}`, value]);
    else if (operator === "<") filters.push([`below.${name}`, value]);
    else if (operator === "~") filters.push([`match.${name}`, value]);
    else
      throw new Error(
        {
          "<=": "there is “less than” (<) and “from … on” (>=), no <=",
          ">": "there is “from … on” (>=) and “less than” (<), no >",
          "!~": "a regular expression cannot be negated",
        }[operator],
      );
  }
  if (text.length) filters.push(["q", text.join(" ")]);
  return filters;
}

/** Filters as a line. */
export const asLine = (filters) =>
  filters
    .map(([name, value]) => `${name}=${/\s/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value}`)
    .join(" ");
