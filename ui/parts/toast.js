// A short word at the window's lower edge, with a way back where there is one.

import { button, byId, foreign, make } from "../base/dom.js";

/** How long it stays, in milliseconds: long enough to read it and to reach its button. */
const STAYS = 8000;

/** @type {{ end: () => void } | null} */
let current = null;

/** Says something until time is up or the next one comes.
 * @param {string} text
 * @param {{ label: string, undo: () => void, settle?: () => void }} [way]
 *   What its button does; `settle` runs when the toast goes and the button was not pressed. */
export function toast(text, way) {
  current?.end();
  const place = byId("toast", HTMLDivElement);
  const element = make("div", { className: "toast" }, foreign("span", text));
  const timer = setTimeout(() => mine.end(), STAYS);
  const mine = {
    end() {
      clearTimeout(timer);
      element.remove();
      if (current === mine) current = null;
      const settle = way?.settle;
      way = undefined;
      settle?.();
    },
  };
  if (way !== undefined) {
    const { label, undo } = way;
    element.append(button(label, () => {
      way = undefined;
      mine.end();
      undo();
    }, "plain"));
  }
  place.replaceChildren(element);
  current = mine;
}

/** What is shown takes effect now. */
export function settleToast() {
  current?.end();
}
