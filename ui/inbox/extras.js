// What goes with a message beside its text: its buttons and its files. All of it is untrusted.

import { announce, button, foreign, make, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { copyButton } from "../parts/clipboard.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").StoredMessage} StoredMessage */
/** @typedef {import("../host/api").MessageAction} MessageAction */
/** @typedef {import("../host/api").Attachment} Attachment */

/** Characters of a button's label, and of a file's name. */
const LABEL = 80;

/** What is asked of the page.
 * @typedef {object} Asks
 * @property {(row: number, action: number) => Promise<boolean>} runAction Whether it was done.
 * @property {(row: number, file: number) => void} openFile
 * @property {(error: unknown) => void} failed */

/** Its buttons; `null` where it has none.
 * @param {number} row @param {MessageAction[]} actions @param {Asks} asks */
export function actionButtons(row, actions, asks) {
  if (actions.length === 0) return null;
  return make("div", { className: "buttons actions" }, ...actions.map((action, number) => actionButton(row, action, number, asks)));
}

/** @param {number} row @param {MessageAction} action @param {number} number @param {Asks} asks */
function actionButton(row, action, number, asks) {
  const label = shown(action.label, LABEL);
  if (action.does === "copy") return copyButton(label, () => action.text, asks.failed);
  if (action.does === "open") {
    const open = button(label, () => void asks.runAction(row, number));
    open.append(shape("link"));
    return open;
  }
  const send = button(label, () => send.replaceWith(question()));
  /** Nothing is sent before the user has seen where to. */
  function question() {
    const told = words.askSend({ method: action.does === "send" ? action.method : "", host: action.does === "send" ? action.host : "" });
    const yes = button(words.send, async () => {
      yes.disabled = true;
      const done = await asks.runAction(row, number);
      asked.replaceWith(send);
      if (!done) return;
      send.textContent = `${label} (${words.sent})`;
      announce(words.sent);
    });
    const no = button(words.cancelSend, () => {
      asked.replaceWith(send);
      send.focus();
    }, "quiet-button");
    const asked = make("span", { className: "asks" }, foreign("span", told), yes, no);
    // Where the pointer is already, a second click must not be the answer.
    queueMicrotask(() => no.focus());
    return asked;
  }
  return send;
}

/** A line for each of its files; `null` where it has none.
 * @param {number} row @param {Attachment[]} files @param {Asks} asks */
export function fileLines(row, files, asks) {
  if (files.length === 0) return null;
  const lines = files.map((file, number) => {
    const open = button(shown(file.name, LABEL), () => asks.openFile(row, number), "link");
    open.dir = "auto";
    open.append(shape("link"));
    const facts = [
      file.size === null ? "" : words.bytes(file.size),
      file.expires === null ? "" : words.fileUntil({ time: words.fullTime(file.expires) }),
      place(file.url),
    ];
    return make("li", { className: "link-line" }, open, foreign("span", facts.filter((fact) => fact !== "").join(" · "), "quiet"));
  });
  return make("ul", { className: "files", ariaLabel: words.files }, ...lines);
}

/** Where it is: one should look at that before one opens it.
 * @param {string} url */
function place(url) {
  try {
    return shown(new URL(url).host, LABEL);
  } catch {
    return "";
  }
}
