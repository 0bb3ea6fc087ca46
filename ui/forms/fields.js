// The controls of forms: each shows one key of the settings, reads what was typed, and holds its own error. What is
// allowed only the agent knows; an absent value means the default, which an empty control shows.

import { button, foreign, freshId, make } from "../base/dom.js";
import { at, same } from "../base/values.js";
import { words } from "../words/words.js";

/** @typedef {import("../base/values.js").Values} Values */

/** @typedef {object} Field
 * @property {string} key Its path, such as `heartbeat.interval`.
 * @property {HTMLElement} element
 * @property {(values: Values, defaults: Values) => void} show
 * @property {() => any} read What was typed; `undefined`: the default.
 * @property {(problem: string | null, key?: string) => void} fail Tells of an error at this place, or at the part of it that
 *   the error's key names, such as `dialogue.on[1].when`.
 * @property {() => void} focus */

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** A value as a placeholder tells it.
 * @param {any} value */
function told(value) {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.filter((part) => part !== "").join(", ") : String(value);
}

/** The frame around controls: label, hint and error.
 * @param {string} key @param {string} label @param {string} [hint] */
function frame(key, label, hint) {
  const id = freshId();
  const problem = make("p", { className: "problem", id: `${id}-problem`, role: "alert", hidden: true });
  const described = [problem.id];
  const element = make("div", { className: "field" });
  element.dataset.key = key;
  const hints = [];
  if (hint) {
    described.unshift(`${id}-hint`);
    hints.push(make("p", { className: "hint", id: `${id}-hint` }, hint));
  }

  /** @param {HTMLElement} control The one that takes the focus. */
  function join(control) {
    control.id = id;
    control.setAttribute("aria-describedby", described.join(" "));
    return {
      /** @param {string | null} text */
      fail(text) {
        problem.hidden = text === null;
        problem.replaceChildren(...(text === null ? [] : [foreign("span", text)]));
        if (text === null) control.removeAttribute("aria-invalid");
        else control.setAttribute("aria-invalid", "true");
      },
      focus: () => control.focus(),
    };
  }
  const name = make("label", { htmlFor: id }, label);
  return { id, element, name, problem, hints, join };
}

/** A line of text.
 * @param {string} key @param {string} label
 * @param {{ hint?: string, placeholder?: string, kind?: "number" | "url" | "text" | "code", required?: boolean,
 *   least?: number }} [how]
 * @returns {Field} */
export function textField(key, label, { hint, placeholder, kind = "text", required = false, least } = {}) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const input = make("input", { type: kind === "number" ? "number" : "text", autocomplete: "off", required });
  if (kind === "url") input.inputMode = "url";
  if (kind !== "number") input.dir = "auto";
  if (kind !== "text") input.spellcheck = false;
  if (kind === "code") input.classList.add("code");
  if (kind === "number") input.step = "1";
  if (least !== undefined) input.min = String(least);
  element.append(name, input, ...hints, problem);
  return {
    key, element, ...join(input),
    show(values, defaults) {
      input.value = at(values, key) === undefined ? "" : String(at(values, key));
      input.placeholder = placeholder ?? told(at(defaults, key));
    },
    read() {
      const text = input.value.trim();
      if (text === "") return undefined;
      // What is no number stays as it was typed: the agent says what is wrong with it.
      return kind === "number" && Number.isFinite(Number(text)) ? Number(text) : text;
    },
  };
}

/** A text of several lines.
 * @param {string} key @param {string} label
 * @param {{ hint?: string, most?: number }} [how] `most`: characters.
 * @returns {Field} */
export function areaField(key, label, { hint, most } = {}) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const area = make("textarea", { rows: 5, dir: "auto", className: "prose" });
  if (most !== undefined) area.maxLength = most;
  element.append(name, area, ...hints, problem);
  return {
    key, element, ...join(area),
    show: (values) => (area.value = String(at(values, key) ?? "")),
    read: () => area.value || undefined,
  };
}

/** A choice of a few words.
 * @param {string} key @param {string} label
 * @param {[string, string][]} options Value and name.
 * @param {string} [hint]
 * @returns {Field} */
export function choiceField(key, label, options, hint) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const select = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  element.append(name, select, ...hints, problem);
  /** @type {any} */
  let usual;
  let wasSet = false;
  return {
    key, element, ...join(select),
    show(values, defaults) {
      usual = at(defaults, key);
      wasSet = at(values, key) !== undefined;
      select.value = String(at(values, key) ?? usual ?? "");
    },
    read: () => (select.value === usual && !wasSet ? undefined : select.value),
  };
}

/** Yes or no.
 * @param {string} key @param {string} label @param {string} [hint]
 * @returns {Field} */
export function switchField(key, label, hint) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const input = make("input", { type: "checkbox", role: "switch" });
  element.classList.add("switch");
  element.append(make("div", {}, name, ...hints), input, problem);
  let usual = false;
  let wasSet = false;
  return {
    key, element, ...join(input),
    show(values, defaults) {
      usual = Boolean(at(defaults, key));
      wasSet = at(values, key) !== undefined;
      input.checked = Boolean(at(values, key) ?? usual);
    },
    read: () => (input.checked === usual && !wasSet ? undefined : input.checked),
  };
}

/** A text that may be switched off by being empty, such as the heartbeat's.
 * @param {string} key @param {string} label @param {string} on @param {string} [hint]
 * @returns {Field} */
export function optionalText(key, label, on, hint) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const input = make("input", { type: "text", autocomplete: "off", spellcheck: false });
  const box = make("input", { type: "checkbox", ariaLabel: on });
  box.onchange = () => (input.disabled = !box.checked);
  element.append(name, make("div", { className: "row" }, make("label", { className: "check" }, box, on), input), ...hints, problem);
  return {
    key, element, ...join(input),
    show(values, defaults) {
      const value = at(values, key);
      box.checked = value !== "";
      input.disabled = !box.checked;
      input.value = value ?? "";
      input.placeholder = told(at(defaults, key));
    },
    read: () => (box.checked ? input.value || undefined : ""),
  };
}

/** Texts, one a line; an empty one, where it has a meaning, by a box of its own.
 * @param {string} key @param {string} label
 * @param {{ hint?: string, empty?: string, numbers?: boolean }} [how]
 * @returns {Field} */
export function linesField(key, label, { hint, empty, numbers = false } = {}) {
  const { element, name, problem, hints, join } = frame(key, label, hint);
  const area = make("textarea", { rows: numbers ? 2 : 4, spellcheck: false });
  const box = make("input", { type: "checkbox" });
  element.append(name, area);
  if (empty) element.append(make("label", { className: "check" }, box, empty));
  const reset = button(words.useDefault, () => {
    fill(usual);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }, "plain small");
  element.append(reset, ...hints, problem);
  /** @type {any[]} */
  let usual = [];
  let wasSet = false;

  /** @param {any[]} list */
  function fill(list) {
    area.value = list.filter((text) => text !== "").join("\n");
    box.checked = list.includes("");
  }
  function list() {
    const lines = area.value.split("\n").map((line) => (numbers ? line.trim() : line)).filter((line) => line !== "");
    const texts = numbers ? lines.map((line) => (Number.isFinite(Number(line)) ? Number(line) : line)) : lines;
    return empty && box.checked ? [...texts, ""] : texts;
  }
  const isUsual = () => same([...list()].sort(), [...usual].sort());
  const settle = () => (reset.hidden = usual.length === 0 || isUsual());
  element.addEventListener("input", settle);
  return {
    key, element, ...join(area),
    show(values, defaults) {
      usual = at(defaults, key) ?? [];
      wasSet = at(values, key) !== undefined;
      fill(at(values, key) ?? usual);
      settle();
    },
    read() {
      const value = at({ list: list() }, "list");
      return isUsual() && !wasSet ? undefined : value;
    },
  };
}

/** Rows of the same few controls, which can be added and removed: headers, rules, quiet hours.
 * @template Item
 * @param {string} key @param {string} label
 * @param {object} how
 * @param {string} [how.hint]
 * @param {string} how.add What adds a row; empty: nothing does.
 * @param {string} how.remove What removes one; empty: nothing does.
 * @param {() => Item} how.fresh
 * @param {(item: Item) => { element: HTMLElement, read: () => Item, stays?: boolean, controls?: Record<string, Control> }} how.row
 *   With the controls of its keys, where errors tell of them; one that stays can't be removed.
 * @param {number} [how.most] So many rows at most.
 * @param {(value: any) => Item[]} how.items From the settings' value.
 * @param {(items: Item[]) => any} how.value To it; `undefined`: the default.
 * @param {(values: Values) => any} [how.source] What `items` is given; the value alone without.
 * @returns {Field} */
export function rowsField(key, label, { hint, add, remove, fresh, row, items, value, source, most = Infinity }) {
  const { id, element, problem, hints, join } = frame(key, label, hint);
  const name = make("p", { className: "label", id: `${id}-name` }, label);
  const list = make("div", { className: "rows" });
  list.role = "list";
  const more = button(add, () => {
    append(fresh()).querySelector("input, select, button")?.dispatchEvent(new FocusEvent("focus"));
    const controls = list.lastElementChild?.querySelectorAll("input, select, textarea");
    if (controls?.[0] instanceof HTMLElement) controls[0].focus();
    told_change();
  });
  const group = make("div", { className: "rows-field", role: "group", tabIndex: -1 }, name, ...hints, list, ...(add === "" ? [] : [more]), problem);
  group.setAttribute("aria-labelledby", name.id);
  element.append(group);
  /** @type {{ element: HTMLElement, read: () => Item, controls?: Record<string, Control> }[]} */
  let rows = [];

  /** @param {Item} item */
  function append(item) {
    const made = row(item);
    const drop = remove === "" || made.stays ? [] : [button(remove, () => {
      rows = rows.filter((other) => other !== made);
      if (holder.contains(problem)) group.append(problem);
      holder.remove();
      told_change();
      more.focus();
    }, "plain small")];
    const holder = make("div", { className: "rows-row" }, made.element, ...drop);
    holder.role = "listitem";
    rows.push(made);
    list.append(holder);
    return holder;
  }
  // A control that is taken away with the focus in it tells of its change once more, to a page that is just being filled.
  let showing = false;
  list.addEventListener("change", (event) => {
    if (showing) event.stopPropagation();
  });
  function settle() {
    list.hidden = rows.length === 0;
    more.hidden = rows.length >= most;
  }
  function told_change() {
    settle();
    element.dispatchEvent(new Event("input", { bubbles: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const joined = join(group);
  /** The control that the error is about.
   * @type {Control | undefined} */
  let wrong;
  return {
    key, element, ...joined,
    fail(text, about) {
      wrong?.removeAttribute("aria-invalid");
      wrong?.removeAttribute("aria-describedby");
      const [, place, part] = /\[(\d+)\](?:\.(.+))?$/.exec(about ?? "") ?? [];
      const named = about?.startsWith(`${key}.`) ? about.slice(key.length + 1) : undefined;
      const row = place !== undefined ? rows[Number(place)] : rows.find(({ controls }) => named !== undefined && named in (controls ?? {}));
      const controls = row?.controls ?? {};
      // A table's keys may have one control: `post.form.id` is told at `post.form`.
      let path = part ?? named ?? "";
      while (!(path in controls) && path.includes(".")) path = path.slice(0, path.lastIndexOf("."));
      wrong = text === null ? undefined : controls[path] ?? Object.values(controls)[0];
      for (let holder = wrong?.closest("details"); holder; holder = holder.parentElement?.closest("details") ?? null) holder.open = true;
      (wrong === undefined ? group : row?.element ?? group).append(problem);
      joined.fail(text);
      wrong?.setAttribute("aria-invalid", "true");
      wrong?.setAttribute("aria-describedby", problem.id);
    },
    focus: () => (wrong ?? group).focus(),
    show(values, defaults) {
      showing = true;
      list.replaceChildren();
      showing = false;
      rows = [];
      group.append(problem);
      for (const item of items(source?.(values) ?? at(values, key) ?? at(defaults, key))) append(item);
      settle();
    },
    read: () => value(rows.map((made) => made.read())),
  };
}

/** A control of a row, with its name for screen readers and above it.
 * @param {string} label @param {Control} control */
export function small(label, control) {
  return make("label", { className: "small-field" }, make("span", {}, label), control);
}

/** The field that an error's key is about: the key itself, or the nearest table above it.
 * @param {Field[]} fields @param {string} key */
export function fieldOf(fields, key) {
  for (let path = key.replaceAll(/\[\d+\]/g, ""); path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
    const found = fields.find((field) => field.key === path)
      ?? fields.find((field) => field.key.startsWith(`${path}.`));
    if (found !== undefined) return found;
  }
  return undefined;
}
