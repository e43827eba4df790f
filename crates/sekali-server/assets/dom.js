// Elements. Text of strangers becomes text nodes and attribute values, never markup: nothing in
// these pages sets innerHTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("p", {class: "soft", onclick: f}, "text", child)`. `css` sets custom properties. */
export function h(name, props, ...children) {
  return fill(document.createElement(name), props, children);
}

/** An element of SVG. */
export function svg(name, props, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "css") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** Appends elements and texts; `null` and `false` are nothing. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replaces what is in an element. */
export function put(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Sets text only where it differs, so that selections survive. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

export const by = (id) => document.getElementById(id);

/** A panel: one question, which its title says. */
export function card(size, title, ...children) {
  return h("section", { class: `card ${size}` }, h("h2", {}, title), children);
}

/** Names and values beside each other. */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.filter(Boolean).map(([name, value, look]) => [h("dt", {}, name), h("dd", { class: look ?? "" }, value)]),
  );
}

let hush;
/** Tells something in passing. */
export function toast(text) {
  const place = by("toast");
  place.textContent = text;
  clearTimeout(hush);
  hush = setTimeout(() => (place.textContent = ""), 2600);
}

/** Copies text, and says so. Without the clipboard, which needs a secure page, it is shown instead. */
export async function copy(text, name = "copied") {
  try {
    await navigator.clipboard.writeText(text);
    toast(name);
  } catch {
    const area = h("textarea", { rows: "6", readonly: true, "aria-label": "text to copy" }, text);
    const dialog = h(
      "dialog",
      { class: "shown", "aria-label": "Copy this" },
      h("h2", {}, "Copy this"),
      h(
        "form",
        { method: "dialog" },
        area,
        h("div", { class: "line" }, h("button", { class: "primary push" }, "Close")),
      ),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    area.select();
  }
}

/** A line to copy. */
export function copyable(text) {
  return h(
    "div",
    { class: "copy" },
    h("code", {}, text),
    h("button", { type: "button", onclick: () => copy(text) }, "Copy"),
  );
}
