// What asks for attention above everything else: the agent gone or of another version, notices, failures.

import { button, byId, foreign, make, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { language, words } from "../words/words.js";

/** A notice is cut to this many characters. */
const NOTICE = 2000;

/** What stands in the banners.
 * @typedef {object} Concerns
 * @property {import("../host/api").AgentLink | null} agent `null`: nothing heard yet.
 * @property {string[]} notices
 * @property {string | null} failure
 */

/** @param {object} page
 * @param {() => void} page.restart
 * @param {() => void} page.dismiss */
export function banners({ restart, dismiss }) {
  const place = byId("banners", HTMLDivElement);
  let before = "";

  /** @param {Concerns} concerns */
  function show(concerns) {
    const now = JSON.stringify([concerns, language]);
    // Said again only when it is news.
    if (now === before) return;
    before = now;
    const { agent, notices, failure } = concerns;
    const all = [];
    if (agent?.type === "agent_gone") {
      const text = [make("p", {}, words.goneText), foreign("p", shown(agent.message, NOTICE))];
      all.push(banner("gone", words.goneTitle, text, button(words.start, restart, "strong")));
    } else if (agent?.other_version) {
      const text = [make("p", {}, words.versionText)];
      all.push(banner("version", words.versionTitle, text, button(words.restart, restart, "strong")));
    }
    if (failure !== null) {
      const text = [foreign("p", shown(failure, NOTICE))];
      all.push(banner("failure", words.failedTitle, text, button(words.dismiss, dismiss)));
    }
    for (const notice of notices) all.push(banner("notice", null, [foreign("p", shown(notice, NOTICE))]));
    place.replaceChildren(...all);
  }
  return { show };
}

/** @param {"gone" | "version" | "failure" | "notice"} kind
 * @param {string | null} title
 * @param {HTMLElement[]} text
 * @param {HTMLButtonElement} [command] */
function banner(kind, title, text, command) {
  const all = title === null ? text : [make("h2", {}, title), ...text];
  const told = make("div", { className: "banner-text" }, ...all);
  const element = make("div", { className: "banner", role: "alert" }, shape("attention"), told);
  element.dataset.kind = kind;
  if (command !== undefined) element.append(command);
  return element;
}
