// The page of one channel's settings, or of a new one.

import { anchor, button, emptyState, foreign, make, pageHead, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { reason } from "../host/errors.js";
import { read, settings } from "../host/settings-file.js";
import { words } from "../words/words.js";
import { begin, editorForm, isBegun, NAME } from "./editor-form.js";

/** @typedef {import("../app").App} App */
/** @typedef {import("../host/api").SettingsReport} SettingsReport */

/** @param {App} app
 * @returns {import("../app").PageView} */
export function editorPage(app) {
  const element = make("div", { className: "page editor" });
  /** Of the channel whose settings are shown; empty: a new one.
   * @type {string | null} */
  let shownId = null;
  /** @type {ReturnType<typeof editorForm> | null} */
  let form = null;
  let loads = 0;
  /** Whether it is to be found out what is at the address, once the form is there. */
  let looks = false;

  /** @param {string} id @param {boolean} [anew] */
  async function load(id, anew = true) {
    loads += 1;
    const mine = loads;
    try {
      const report = anew || settings() === null ? await read() : /** @type {SettingsReport} */ (settings());
      if (mine !== loads) return;
      if (shownId === id && form !== null && report.error === null) form.rebase(report);
      else draw(id, report);
    } catch (error) {
      if (mine !== loads) return;
      if (form === null) element.replaceChildren(back(), emptyState(words.settingsFailed, foreign("p", reason(error)), button(words.tryAgain, () => load(id))));
    }
  }

  const back = () => {
    const link = anchor(words.channels, "#channels", "back");
    link.prepend(shape("back"));
    return link;
  };

  /** @param {string} id @param {SettingsReport} report */
  function draw(id, report) {
    shownId = id;
    form = null;
    const known = report.channels.find((channel) => channel.id === id);
    const told = app.report()?.channels.find((channel) => channel.id === id);
    const focused = element.contains(document.activeElement) || document.activeElement === document.body;
    if (report.error !== null) {
      const text = make("p", {}, words.fileWrong({ file: report.file }));
      element.replaceChildren(back(), pageHead(words.channel), emptyState(words.fileWrongTitle, text, foreign("p", report.error, "code-text")));
    } else if (id !== "" && known === undefined) {
      const end = button(words.endDemo, () => app.act({ do: "end_demo" }).then(() => app.go("#channels")));
      const panel = told?.demo
        ? emptyState(words.demoSettings, make("p", {}, words.demoSettingsText), end)
        : emptyState(words.noSuchChannel, make("p", {}, words.noSuchChannelText));
      element.replaceChildren(back(), pageHead(shown(told?.name ?? id, NAME)), panel);
    } else {
      form = editorForm(app, id, report, () => load(id));
      element.replaceChildren(back(), ...form.elements);
      if (looks) form.look();
      looks = false;
    }
    if (focused) element.querySelector("h1")?.focus({ preventScroll: true });
  }

  return {
    element,
    show(rest) {
      const pasted = /^[+?]/.exec(rest)?.[0];
      if (pasted !== undefined) {
        // Once: who comes back finds what was typed since.
        begin(rest.slice(1));
        history.replaceState(null, "", "#add");
        rest = "";
        shownId = null;
        looks = pasted === "?";
      }
      if (shownId !== rest) {
        shownId = null;
        form = null;
        element.replaceChildren(back(), pageHead(rest === "" ? words.addChannel : words.channel));
      }
      load(rest);
    },
    leave() {
      // What was added, removed or given up is begun anew the next time.
      if (shownId === null || isBegun(shownId)) return;
      shownId = null;
      form = null;
    },
    update: () => form?.status(),
    /** The file may be another one now. */
    arrived() {
      if (element.isConnected && shownId !== null) load(shownId);
    },
  };
}
