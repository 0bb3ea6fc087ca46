// A form's sections: cards with a heading, and in them the fields side by side.

import { make } from "../base/dom.js";

/** @param {import("./fields.js").Field[]} fields */
export function grid(fields) {
  return make("div", { className: "grid" }, ...fields.map((field) => field.element));
}

/** @param {[string, string | null, import("./fields.js").Field[]][]} groups */
export function grids(groups) {
  return groups.flatMap(([title, text, fields]) => [
    make("h3", {}, title), ...(text === null ? [] : [make("p", { className: "hint" }, text)]), grid(fields),
  ]);
}

/** @param {string} title @param {string | null} text @param {...HTMLElement} children */
export function section(title, text, ...children) {
  const hint = text === null ? [] : [make("p", { className: "hint" }, text)];
  return make("section", { className: "card group" }, make("h2", {}, title), ...hint, ...children);
}
