// JSON as it was written: a number keeps its digits, however many it has.

/** A number that JavaScript would change. */
export class Exact {
  constructor(source) {
    this.source = source;
  }
  toString() {
    return this.source;
  }
}

/** Parses JSON. Where the browser tells how a number was written, and it differs, it is an `Exact`. */
export function parse(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? new Exact(context.source)
      : value,
  );
}

export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact);
export const isNumber = (value) => typeof value === "number" || value instanceof Exact;

/** A value in one line: strings without quotes. */
export function plain(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : compact(value);
}

/** A value as JSON in one line. */
export function compact(value) {
  if (value instanceof Exact) return value.source;
  if (Array.isArray(value)) return `[${value.map(compact).join(",")}]`;
  if (isObject(value))
    return `{${Object.entries(value)
      .map(([name, inner]) => `${JSON.stringify(name)}:${compact(inner)}`)
      .join(",")}}`;
  return JSON.stringify(value);
}

/** Whether two values are the same JSON. */
export const same = (a, b) => (a === undefined) === (b === undefined) && (a === undefined || compact(a) === compact(b));

/** One step of a path, as filters write it. */
const step = (name) =>
  String(name)
    .replace(/[\\.]/g, "\\$&")
    .replace(/[!<>~]+$/, (end) => end.replace(/./g, "\\$&"));

/** The path of a member under `path`. */
export const under = (path, name) => `${path}.${step(name)}`;

/** The names in a path. */
export function steps(path) {
  const names = [""];
  for (let at = 0; at < path.length; at++) {
    if (path[at] === "\\" && at + 1 < path.length) names[names.length - 1] += path[++at];
    else if (path[at] === ".") names.push("");
    else names[names.length - 1] += path[at];
  }
  return names;
}

/** The value of a field of an event: `topic`, `payload.user.id`. Events of `columns=` have it under that name. */
export function valueAt(event, field) {
  if (Object.hasOwn(event, field)) return event[field];
  let value = event;
  for (const name of steps(field)) {
    if (Array.isArray(value)) value = value[name];
    else if (isObject(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

/** Every member of a value with its path, objects and arrays opened down to `depth`; at most `most`. */
export function members(value, path, depth = 6, most = 400) {
  const found = [];
  const visit = (inner, at, left) => {
    if (found.length >= most) return;
    const entries = isObject(inner)
      ? Object.entries(inner)
      : Array.isArray(inner)
        ? inner.map((one, index) => [index, one])
        : [];
    if (!entries.length || !left) found.push([at, inner]);
    else for (const [name, one] of entries) visit(one, under(at, name), left - 1);
  };
  visit(value, path, depth);
  return found;
}
