// Copying, where the desktop allows it.

import { announce, button } from "../base/dom.js";
import { words } from "../words/words.js";

/** How long a button says that it has copied, in milliseconds. */
const SAY = 2000;

/** Whether the text was copied. One that has to be fetched is handed over as a promise: by the time that it is there,
 * WebKit has forgotten that the user asked, and allows no copying any more.
 * @param {string | Promise<string>} text */
export async function copy(text) {
  try {
    const plain = Promise.resolve(text).then((fetched) => new Blob([fetched], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": plain })]);
    return true;
  } catch {
    return copyBySelection(await text);
  }
}

/** The older way, which web views allow that refuse the newer one.
 * @param {string} text */
function copyBySelection(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "for-readers";
  area.value = text;
  // An open dialog takes the focus from everything outside of it.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return done;
}

/** Says on the button that its work is done, for a moment.
 * @param {HTMLButtonElement} pressed */
export function sayCopied(pressed) {
  const label = pressed.dataset.label ?? pressed.textContent ?? "";
  pressed.dataset.label = label;
  pressed.textContent = words.copied;
  announce(words.copied);
  setTimeout(() => {
    if (pressed.textContent === words.copied) pressed.textContent = label;
    delete pressed.dataset.label;
  }, SAY);
}

/** A button that copies; what it copies may have to be fetched first.
 * @param {string} label
 * @param {() => string | Promise<string>} text
 * @param {(error: unknown) => void} failed */
export function copyButton(label, text, failed) {
  const copies = button(label, async () => {
    try {
      if (!(await copy(text()))) throw new Error(words.copyFailed);
      sayCopied(copies);
    } catch (error) {
      failed(error);
    }
  });
  return copies;
}
