// Schemas in words.

import { h } from "./dom.js";
import { count } from "./format.js";

const NAMES = { Number: "whole number", Time: "time", ErrorCode: "error code" };
const TYPES = { integer: "whole number", boolean: "true or false", string: "text", object: "object", null: "null" };

const nameOf = (schema) => /schemas\/(\w+)$/.exec(schema.$ref ?? "")?.[1];

/** A text with the words in backquotes as code. */
export const prose = (text = "") => text.split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));

/** The type of a value, with its bounds, in a line. */
export function words(schema = {}) {
  const name = nameOf(schema);
  if (NAMES[name]) return NAMES[name];
  if (name) return h("a", { class: "shape-link", href: `#shape-${name}` }, name);
  if (schema.$ref) return TYPES.string;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum)
    return schema.enum.map((value, at) => [
      at ? ", " : "",
      h("code", {}, String(value)),
      value === schema.default ? " (default)" : "",
    ]);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [either.map((one, at) => [at ? " or " : "", words(one)]), defaults(schema)];
  if (schema.type === "array")
    return ["list of ", words(schema.items ?? {}), schema.maxItems ? `, up to ${count(schema.maxItems)}` : ""];
  if (schema["x-minimum"]) return ["a time", bounds(schema), defaults(schema)];
  const types = [schema.type ?? "any value"].flat().map((type) => TYPES[type] ?? type);
  return [types.join(" or "), bounds(schema), defaults(schema)];
}

function bounds(schema) {
  const from = schema["x-minimum"] ?? schema.minimum;
  const to = schema["x-maximum"] ?? schema.maximum;
  const figure = (value) => (typeof value === "number" ? count(value) : value);
  if (from !== undefined && to !== undefined) return `, ${figure(from)} to ${figure(to)}`;
  if (from) return `, from ${figure(from)}`;
  if (schema.maxLength) return `, up to ${count(schema.maxLength)} characters`;
  return schema.examples ? `, like ${schema.examples.join(", ")}` : "";
}

const defaults = ({ default: value, enum: known }) =>
  value === undefined || known ? "" : `; ${typeof value === "number" ? count(value) : value} by default`;

/** The members of an object, those of inner objects indented. */
export function shape(schema) {
  const rows = [];
  visit(schema, 0, rows);
  if (!rows.length) return h("p", {}, words(schema));
  return h(
    "div",
    { class: "wide" },
    h(
      "table",
      { class: "members-table" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["member", "value", "meaning"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}

function visit(schema, depth, rows) {
  const required = schema.required ?? [];
  const place = ([name]) => (required.includes(name) ? required.indexOf(name) : required.length);
  const members = Object.entries(schema.properties ?? {}).sort((a, b) => place(a) - place(b));
  for (const [name, member] of members) {
    const inner = member.type === "array" ? member.items : member;
    const isObject = Boolean(inner?.properties);
    rows.push(
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "mono", css: { "--depth": depth } }, name),
        h(
          "td",
          { class: "soft" },
          isObject ? (member.type === "array" ? "list of objects" : "object") : words(member),
          required.includes(name) ? "" : ", optional",
        ),
        h("td", {}, prose(member.description ?? inner?.description)),
      ),
    );
    if (isObject) visit(inner, depth + 1, rows);
  }
}

/** Links to the shapes that a schema names. */
export function shapeLink(schema) {
  const name = /schemas\/(\w+)$/.exec(schema?.$ref ?? "")?.[1];
  if (name) return h("a", { class: "shape-link", href: `#shape-${name}` }, name);
  if (schema?.type === "array") return ["list of ", shapeLink(schema.items)];
  const either = schema?.anyOf ?? schema?.oneOf;
  if (either) return either.map((one, at) => [at ? " or " : "", shapeLink(one)]);
  return null;
}
