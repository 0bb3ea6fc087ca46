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

const SVG = "http://www.w3.org/2000/svg";

/** One of the shapes that index.html defines; decoration only, since words stand beside it.
 * @param {string} name */
export function shape(name) {
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#shape-${name}`);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Untrusted text in an element of its own, whose direction touches nothing around it.
 * @param {"span" | "p" | "pre" | "dd"} tag
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
  return make("div", { className: "empty card" }, make("h3", {}, title), ...children);
}
