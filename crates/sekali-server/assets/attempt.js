// A request of the API to fill in, as a command line that can be copied.

import { key, quoted } from "./api.js";
import { copy, h, say } from "./dom.js";
import { count } from "./format.js";
import { prose, shapeLink, words } from "./schema.js";

/** Parameters and body with places to fill in, and the command that they make. */
export function attempt(routes) {
  const [{ operation }] = routes;
  const parameters = operation.parameters ?? [];
  const values = new Map();
  const media = Object.keys(operation.requestBody?.content ?? {});
  let chosen = media[0],
    route = routes[0];
  const line = h("code", {});
  const open = h("a", { class: "btn", target: "_blank", rel: "noopener" }, "Open");
  const example = () => {
    // Members of objects have no order there; a text keeps the one that people expect.
    const { example: value, "x-example": text } = operation.requestBody.content[chosen];
    if (text) return JSON.stringify(JSON.parse(text), null, 1);
    return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 1);
  };
  const area = media.length
    ? h("textarea", {
        rows: "5",
        spellcheck: "false",
        "aria-label": `Body of ${operation.summary}`,
        oninput: () => update(),
      })
    : null;
  if (area) area.value = example();
  const update = () => {
    const { address, command } = commandOf(route, values, area ? [chosen, area.value] : null);
    say(line, command);
    open.hidden = route.method !== "get" || Boolean(key.get()) || address.includes("{");
    open.href = address;
  };
  const fill = (parameter) => {
    const name = parameter["x-names"]?.[0] ?? parameter.name;
    if (parameter["x-names"]) return null;
    return h("input", {
      "aria-label": `${name} of ${operation.summary}`,
      placeholder: parameter.schema.default ?? parameter.schema.examples?.[0] ?? "",
      spellcheck: "false",
      oninput: ({ target }) => {
        values.set(parameter, target.value);
        update();
      },
    });
  };
  const row = (parameter) =>
    h(
      "tr",
      {},
      h(
        "th",
        { scope: "row", class: "mono" },
        (parameter["x-names"]?.length ? parameter["x-names"] : [parameter.name]).map((name, at) => [
          at ? h("br") : null,
          name,
        ]),
        parameter.required ? h("span", { class: "c", title: "required" }, " *") : null,
      ),
      h(
        "td",
        { class: "soft" },
        parameter.in === "query" ? "" : `in ${parameter.in}; `,
        parameter["x-filter"] && parameter.schema.type !== "string" ? "text, may be repeated" : words(parameter.schema),
      ),
      h("td", {}, prose(parameter.description)),
      h("td", { class: "fill" }, fill(parameter)),
    );
  const table = (rows) =>
    h(
      "div",
      { class: "wide" },
      h(
        "table",
        { class: "parameters" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["parameter", "values", "meaning", "try"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h("tbody", {}, rows.map(row)),
      ),
    );
  const filters = parameters.filter((parameter) => parameter["x-filter"]);
  const others = parameters.filter((parameter) => !parameter["x-filter"]);
  const pick = (name, options, change) =>
    options.length > 1
      ? h(
          "select",
          {
            "aria-label": `${name} of ${operation.summary}`,
            onchange: ({ target }) => (change(target.value), update()),
          },
          options.map((option, at) => h("option", { value: at }, option)),
        )
      : null;
  update();
  return [
    others.length ? table(others) : null,
    filters.length ? later(h("summary", {}, `${count(filters.length)} filters`), () => table(filters)) : null,
    area
      ? h(
          "div",
          { class: "docs-request" },
          h(
            "div",
            { class: "line" },
            h("b", {}, "Body"),
            media.length > 1
              ? pick("Media type", media, (at) => {
                  chosen = media[at];
                  area.value = example();
                })
              : h("code", {}, media[0]),
            shapeLink(operation.requestBody.content[media[0]].schema),
          ),
          area,
        )
      : null,
    h(
      "div",
      { class: "line docs-curl" },
      pick(
        "Route",
        routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
        (at) => (route = routes[at]),
      ),
      h(
        "div",
        { class: "copy" },
        line,
        h("button", { type: "button", onclick: () => copy(line.textContent, "curl command copied") }, "Copy"),
        open,
      ),
    ),
  ];
}

/** The address and the command line of a request. */
function commandOf({ method, path, operation }, values, sent) {
  const query = [];
  const headers = [];
  let at = path;
  for (const parameter of operation.parameters ?? []) {
    const value = values.get(parameter) ?? "";
    if (parameter.in === "path" && value) at = at.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value) query.push([parameter.name, value]);
    else if (parameter.in === "header" && value) headers.push([parameter.name.toLowerCase(), value]);
  }
  const address = at + (query.length ? `?${new URLSearchParams(query)}` : "");
  const parts = ["curl"];
  if (operation["x-endless"]) parts.push("-N");
  if (method !== "get" && !(method === "post" && sent)) parts.push("-X", method.toUpperCase());
  parts.push(quoted(location.origin + address));
  if (key.get() && operation.security.length) parts.push('-H "authorization: Bearer $SEKALI_KEY"');
  if (sent) parts.push(`-H ${quoted(`content-type: ${sent[0]}`)}`);
  for (const [name, value] of headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (sent) parts.push(`${sent[0].includes("ndjson") ? "--data-binary" : "-d"} ${quoted(oneLine(sent))}`);
  return { address, command: parts.join(" ") };
}

function oneLine([media, text]) {
  if (!/json$/.test(media) || media.includes("ndjson")) return text;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Something that is made when it is opened: many routes have the same filters. */
function later(summary, make) {
  const box = h("details", { class: "more-parameters" }, summary);
  box.addEventListener("toggle", () => box.childElementCount > 1 || box.append(make()), { once: true });
  return box;
}
