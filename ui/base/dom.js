// Small builders, so that the other modules read as what the page shows.

/** An element with these properties and children; strings become text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<Omit<HTMLElementTagNameMap[Tag], "style" | "children" | "innerHTML" | "outerHTML">>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]} */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** @param {string} label @param {() => void} press @param {string} [className] */
export function button(label, press, className = "") {
  return make("button", { type: "button", className, onclick: press }, label);
}

/** A button that takes no second press while the first is at work.
 * @param {string} label
 * @param {() => Promise<unknown>} press
 * @param {string} [className] */
export function pressing(label, press, className = "") {
  let busy = false;
  const element = button(label, async () => {
    if (busy) return;
    busy = true;
    element.setAttribute("aria-busy", "true");
    try {
      await press();
    } finally {
      busy = false;
      element.removeAttribute("aria-busy");
    }
  }, className);
  return element;
}

/** A link to another place of this window.
 * @param {string} label @param {string} href @param {string} [className] */
export function anchor(label, href, className = "") {
  return make("a", { href, className }, label);
}

const SVG = "http://www.w3.org/2000/svg";

/** @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** One of the shapes that index.html defines; decoration only, since words stand beside it.
 * @param {string} name */
export function shape(name) {
  return svg("svg", { "aria-hidden": "true" }, svg("use", { href: `#shape-${name}` }));
}

/** Untrusted text in an element of its own, whose direction touches nothing around it.
 * @param {"span" | "p" | "pre" | "dd" | "td" | "bdi"} tag
 * @param {string} text
 * @param {string} [className] */
export function foreign(tag, text, className = "") {
  return make(tag, { className: `foreign ${className}`.trim(), dir: "auto", textContent: text });
}

/** The element of index.html with this id.
 * @template {HTMLElement} Type
 * @param {string} id
 * @param {new () => Type} type */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return element;
}

/** Text that screen readers say once, when they are idle.
 * @param {string} text */
export function announce(text) {
  byId("announcer", HTMLParagraphElement).textContent = text;
}

/** A calm panel for where there is nothing to list yet.
 * @param {string} title
 * @param {...(Node | string)} children */
export function emptyState(title, ...children) {
  return make("div", { className: "empty" }, make("h2", {}, title), ...children);
}

/** The head of a page: its title, which takes the focus when the page is gone to, and what can be done.
 * @param {string} title
 * @param {...(Node | string)} children */
export function pageHead(title, ...children) {
  return make("header", { className: "page-head" }, make("h1", { tabIndex: -1 }, title), ...children);
}

/** Changes the text only where it is another one, so that nothing is said twice or loses its selection.
 * @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let ids = 0;
/** An id that no other element has. */
export function freshId() {
  ids += 1;
  return `made-${ids}`;
}
