// The API, as a page: every route of /openapi.json with its parameters, bodies, answers and errors,
// and a command line that can be copied.

import { ask, isAborted } from "./api.js";
import { attempt } from "./attempt.js";
import { append, by, h, put, say } from "./dom.js";
import { count } from "./format.js";
import { shape, shapeLink } from "./schema.js";
import { onResume, shortcut, start, trouble } from "./shell.js";

const METHODS = ["get", "post", "put", "delete", "options"];
const search = h("input", {
  type: "search",
  placeholder: "find a route, parameter or error  ( / )",
  "aria-label": "Find a route, parameter or error",
  spellcheck: "false",
  autocomplete: "off",
});
const list = h("nav", { class: "toc", "aria-label": "Routes" });
const body = h("div", { class: "docs-body" }, h("p", { class: "empty" }, "…"));
const nothing = h("p", { class: "empty", role: "status" });
put(by("main"), h("aside", { class: "docs-side" }, search, list), body);

let sections = [];

const anchor = (method, path) =>
  `${method}-${path.slice(1)}`
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/-+$/, "")
    .toLowerCase();

/** Operations that are told in the same words stand together. */
function gathered(doc) {
  const groups = new Map(doc.tags.map(({ name }) => [name, new Map()]));
  const all = Object.entries(doc.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method, path, operation: methods[method] })),
  );
  for (const route of all.sort((a, b) => a.operation["x-order"] - b.operation["x-order"])) {
    const group = groups.get(route.operation.tags[0]);
    const { summary } = route.operation;
    group.set(summary, [...(group.get(summary) ?? []), route]);
  }
  return groups;
}

function show(doc) {
  sections = [];
  put(list);
  put(
    body,
    h("h1", {}, "The API"),
    h("p", { class: "lead" }, doc.info.description),
    h(
      "p",
      { class: "soft" },
      "For programs: ",
      h("a", { class: "strong", href: "/openapi.json" }, "/openapi.json"),
      `, OpenAPI ${doc.openapi}, version ${doc.info.version}. This page is made from it.`,
    ),
    nothing,
  );
  for (const [tag, group] of gathered(doc)) {
    const about = doc.tags.find(({ name }) => name === tag).description;
    const head = h("h2", { class: "docs-tag" }, tag, h("span", {}, about));
    const toc = h("h2", {}, tag);
    list.append(toc);
    body.append(head);
    const parts = [...group].map(([summary, routes]) => section(doc, summary, routes));
    sections.push({ head, toc, parts });
  }
  body.append(h("h2", { class: "docs-tag", id: "errors" }, "Errors", h("span", {}, "every code that there is")));
  body.append(errorTable(doc));
  body.append(h("h2", { class: "docs-tag", id: "shapes" }, "Shapes", h("span", {}, "of bodies and answers")));
  for (const [name, schema] of Object.entries(doc.components.schemas))
    if (!["Number", "Time", "ErrorCode"].includes(name))
      body.append(
        h(
          "section",
          { class: "card shape", id: `shape-${name}`, tabindex: "-1" },
          h("h3", {}, link(`shape-${name}`, name)),
          schema.description ? h("p", { class: "soft" }, schema.description) : null,
          shape(schema),
        ),
      );
  list.append(h("h2", {}, "Also"), tocLink("errors", "Errors"), tocLink("shapes", "Shapes"));
}

const link = (id, text) => h("a", { class: "anchor", href: `#${id}` }, text);
const tocLink = (id, ...text) => h("a", { href: `#${id}` }, text);
const pathText = (path) => path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? h("i", {}, part) : part));
const badge = (method) => h("b", { class: `method ${method}` }, method.toUpperCase());

/** The routes that have one summary. */
function section(doc, summary, routes) {
  const [{ operation }] = routes;
  const { scopes, schemes } = security(operation);
  const box = h("section", { class: "card route" });
  const ids = routes.map(({ method, path }) => anchor(method, path));
  append(box, [
    routes.map(({ method, path }, at) =>
      h(
        "h3",
        { id: ids[at], tabindex: "-1" },
        h("a", { class: "anchor", href: `#${ids[at]}` }, badge(method), h("code", {}, pathText(path))),
      ),
    ),
    h(
      "p",
      {},
      h("b", {}, summary, ". "),
      operation.description ?? "",
      scopes.length
        ? h("span", { class: "soft" }, " Scope ", h("code", {}, scopes.join(", ")), `, as ${schemes.join(", ")}.`)
        : h("span", { class: "soft" }, " Needs no key."),
    ),
    attempt(routes),
    answers(doc, operation),
  ]);
  body.append(box);
  const entries = routes.map(({ method, path }, at) => tocLink(ids[at], badge(method), h("span", {}, pathText(path))));
  list.append(...entries);
  const names = (operation.parameters ?? []).flatMap((parameter) => parameter["x-names"] ?? [parameter.name]);
  const text = [summary, operation.description, operation.tags[0], ...names, JSON.stringify(operation.responses)];
  const paths = routes.map(({ method, path }) => `${method} ${path}`);
  return { box, entries, ids, text: [...paths, ...text].join(" ").toLowerCase() };
}

function security(operation) {
  const shown = operation.security.flatMap((one) => Object.entries(one));
  return {
    scopes: [...new Set(shown.flatMap(([, scopes]) => scopes))],
    schemes: shown.map(([scheme]) => scheme[0].toUpperCase() + scheme.slice(1)),
  };
}

/** Good answers, and errors by code. */
function answers(doc, operation) {
  const isError = (answer) => answer.content?.["application/json"]?.schema?.allOf;
  const entries = Object.entries(operation.responses);
  const good = entries.filter(([, answer]) => !isError(answer));
  const codes = entries.flatMap(([, answer]) => isError(answer)?.[1].properties.code.enum ?? []);
  return [
    h(
      "dl",
      { class: "docs-answers" },
      good.map(([status, answer]) => [
        h("dt", {}, h("b", { class: status < "3" ? "n" : "" }, status)),
        h(
          "dd",
          {},
          answer.description,
          h(
            "span",
            { class: "soft" },
            Object.entries(answer.content ?? {}).map(([type, { schema }]) => {
              const to = shapeLink(schema);
              return [" · ", type, to ? [": ", to] : null];
            }),
            Object.keys(answer.headers ?? {})
              .filter((name) => name !== "X-Request-Id")
              .map((name) => [" · ", h("span", { title: doc.components.headers[name]?.description }, name)]),
          ),
        ),
      ]),
    ),
    codes.length
      ? h(
          "details",
          { class: "more-parameters" },
          h("summary", {}, `${count(codes.length)} errors`),
          h(
            "p",
            {},
            codes.map((code) => [h("a", { class: "code", href: `#error-${code}` }, code), " "]),
          ),
        )
      : null,
  ];
}

function errorTable(doc) {
  const retry = ({ retryable, retry_after_seconds: after }) =>
    after ? `after ${after} s` : retryable ? "at any time" : "no";
  return h(
    "div",
    { class: "card wide" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["code", "status", "the same again", "stored"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        doc["x-error-codes"].map((one) =>
          h(
            "tr",
            { id: `error-${one.code}`, tabindex: "-1" },
            h("td", { class: "mono" }, one.code),
            h("td", {}, one.status),
            h("td", {}, retry(one)),
            h("td", {}, one.stored),
          ),
        ),
      ),
    ),
  );
}

/** Shows what the search is for. */
function find() {
  const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { head, toc, parts } of sections) {
    let inGroup = 0;
    for (const { box, entries, text } of parts) {
      const isShown = wanted.every((word) => text.includes(word));
      box.hidden = !isShown;
      entries.forEach((entry) => (entry.hidden = !isShown));
      inGroup += isShown;
    }
    head.hidden = toc.hidden = !inGroup;
    shown += inGroup;
  }
  say(nothing, shown || !sections.length ? "" : `No route has “${search.value.trim()}” in it.`);
}

function toAddress() {
  const query = search.value.trim() ? `?${new URLSearchParams({ q: search.value.trim() })}` : "";
  history.replaceState(null, "", location.pathname + query + location.hash);
}

/** Shows the part that the address names. */
function toAnchor() {
  const part = by(location.hash.slice(1));
  if (!part || !by("main").contains(part)) return;
  if (part.closest("[hidden]")) {
    search.value = "";
    find();
  }
  part.scrollIntoView({ block: "start" });
  part.focus({ preventScroll: true });
  for (const entry of list.querySelectorAll("[aria-current]")) entry.removeAttribute("aria-current");
  list.querySelector(`a[href="#${CSS.escape(part.id)}"]`)?.setAttribute("aria-current", "true");
}

/** To the next route that is shown, or the one before. */
function step(by_) {
  const shown = sections.flatMap(({ parts }) => parts).filter(({ box }) => !box.hidden);
  const ids = shown.map(({ ids: [first] }) => first);
  const now = ids.findIndex((id) => shown.find(({ ids: all }) => all.includes(location.hash.slice(1)))?.ids[0] === id);
  const next = ids[Math.min(Math.max(now + by_, 0), ids.length - 1)];
  if (next) location.hash = next;
}

async function load() {
  if (sections.length) return;
  try {
    const { data } = await ask("/openapi.json");
    show(data);
    find();
    toAnchor();
  } catch (error) {
    if (!isAborted(error)) put(body, trouble(error, load));
  }
}

search.value = new URLSearchParams(location.search).get("q") ?? "";
search.addEventListener("input", () => (find(), toAddress()));
search.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  search.value = "";
  find();
  toAddress();
  search.blur();
});
addEventListener("hashchange", toAnchor);
shortcut("/", "search", () => search.focus());
shortcut("j", "next route", () => step(1));
shortcut("k", "previous route", () => step(-1));
onResume(load);
start();
void load();
