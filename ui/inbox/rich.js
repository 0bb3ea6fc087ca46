// A message's Markdown, from the tree that the agent made of it. Every text of it is untrusted, and only ever text.

import { foreign, make, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").Block} Block */
/** @typedef {import("../host/api").Rich} Rich */
/** @typedef {import("../host/api").Span} Span */

/** @param {Rich} rich
 * @param {(link: number) => void} open What a link's click does; the page itself goes nowhere. */
export function richText(rich, open) {
  const body = make("div", { className: "rich" });
  const where = make("p", { className: "quiet where" });

  /** The last heading's; the message's own title is of this one. */
  let depth = 2;

  /** @param {Block[]} blocks
   * @returns {Node[]} */
  const drawn = (blocks) => blocks.map((block) => {
    switch (block.block) {
      case "paragraph":
        return text("p", block.spans);
      case "heading": {
        // Below the message's title, and never two steps below the one before: who reads by headings would miss something.
        depth = Math.min(6, block.level + 2, depth + 1);
        return text(/** @type {"h3" | "h4" | "h5" | "h6"} */ (`h${depth}`), block.spans);
      }
      case "code":
        return foreign("pre", shown(block.text, Infinity));
      case "quote":
        return make("blockquote", {}, ...drawn(block.blocks));
      case "list": {
        const items = block.items.map((item) => make("li", {}, ...drawn(item)));
        return block.start === null ? make("ul", {}, ...items) : make("ol", { start: block.start }, ...items);
      }
      case "rule":
        return make("hr");
    }
  });

  /** @param {"p" | "h3" | "h4" | "h5" | "h6"} tag @param {Span[]} spans */
  function text(tag, spans) {
    const element = make(tag, { className: "foreign", dir: "auto" });
    /** @type {HTMLElement} */
    let around = element;
    /** @type {number | undefined} */
    let number;
    for (const span of spans) {
      if (span.link !== number) {
        number = span.link;
        around = number === undefined ? element : link(number);
        if (around !== element) element.append(around);
      }
      around.append(marked(span));
    }
    return element;
  }

  /** It has no address of its own: nothing but its click, which asks the agent, leads anywhere.
   * @param {number} number */
  function link(number) {
    const address = shown(rich.links[number] ?? "", Infinity);
    const element = make("a", { role: "link", tabIndex: 0, title: address });
    const tell = () => (where.textContent = address);
    const hush = () => (where.textContent = "");
    element.onclick = () => open(number);
    element.onkeydown = (event) => {
      if (event.key === "Enter") open(number);
    };
    element.onpointerenter = tell;
    element.onpointerleave = hush;
    element.onfocus = tell;
    element.onblur = hush;
    return element;
  }

  body.append(...drawn(rich.blocks));
  return { body, parts: rich.links.length === 0 ? [body] : [body, where] };
}

/** @param {Span} span
 * @returns {Node} */
function marked(span) {
  /** @type {Node} */
  let node = document.createTextNode(shown(span.text, Infinity));
  if (span.code) node = make("code", {}, node);
  if (span.struck) node = make("s", {}, node);
  if (span.italic) node = make("em", {}, node);
  if (span.bold) node = make("strong", {}, node);
  if (!span.image) return node;
  const mark = make("span", { role: "img", ariaLabel: words.picture, title: words.pictureText }, shape("picture"));
  return make("span", { className: "picture" }, mark, node);
}
