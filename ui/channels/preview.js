// How a message would look: of a sample that was pasted, or of the last one received, by the mapping and the rules
// as they stand in the editor.

import { foreign, freshId, make } from "../base/dom.js";
import { shown } from "../base/text.js";
import { code, reason } from "../host/errors.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").Preview} Preview */
/** @typedef {import("../host/api").Turn} Turn */
/** @typedef {import("../host/api").PageError} PageError */

/** How long it waits for the next letter, in milliseconds. */
const TYPING = 250;
const TITLE = 200;
const BODY = 1500;
/** No message is longer, in bytes. */
const LONGEST = 1 << 20;

/** @param {object} page
 * @param {import("../host/contract").Host["preview"]} page.preview
 * @param {() => { channel: string | null, values: Record<string, any> }} page.stands What stands in the editor.
 * @param {(error: PageError | null) => void} page.problem An error that is about a key of the settings. */
export function previewSection({ preview, stands, problem }) {
  const id = freshId();
  const area = make("textarea", { id, rows: 4, spellcheck: false, dir: "auto", className: "code", placeholder: words.samplePlaceholder });
  const result = make("div", { className: "preview-result", ariaLive: "polite" });
  const label = make("label", { htmlFor: id }, words.sample);
  const hint = make("p", { className: "hint" }, words.sampleHint);
  const element = make("div", { className: "preview-section" }, make("div", { className: "field" }, label, area, hint), result);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asks = 0;

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(look, TYPING);
  }

  async function look() {
    asks += 1;
    const mine = asks;
    if (new TextEncoder().encode(area.value).length > LONGEST) {
      result.replaceChildren(make("p", { className: "quiet" }, words.sampleTooLong));
      return;
    }
    try {
      const answer = await preview({ ...stands(), text: area.value === "" ? null : area.value });
      if (mine !== asks) return;
      problem(null);
      result.replaceChildren("turns" in answer ? rehearsed(answer.turns) : drawn(answer));
    } catch (error) {
      if (mine !== asks) return;
      const key = code(error) === null ? null : /** @type {PageError} */ (error).key;
      problem(key === null ? null : /** @type {PageError} */ (error));
      const text = code(error) === "no_sample" ? words.noSample : reason(error);
      result.replaceChildren(foreign("p", shown(text, BODY), "quiet"));
    }
  }

  /** @param {Preview} answer */
  function drawn({ message, rich, popup, ignored }) {
    if (ignored) return make("p", { className: "quiet" }, words.previewIgnored);
    const card = make(
      "div",
      { className: "popup-card" },
      foreign("p", shown(message.title, TITLE) || words.untitled, "popup-title"),
      foreign("p", shown(rich?.text ?? message.body, BODY), "popup-body"),
    );
    const facts = make("dl", { className: "facts-list" });
    /** @param {string} name @param {string} value */
    const fact = (name, value) => facts.append(make("dt", {}, name), foreign("dd", shown(value, BODY)));
    fact(words.priorityLabel, words.priority(message.priority));
    if (message.id !== null) fact(words.id, message.id);
    if (message.url !== null) fact(words.link, message.url);
    return make("div", {}, card, make("p", { className: "quiet" }, popup ? words.previewPopup : words.previewNoPopup), facts);
  }

  /** What the dialogue makes of each frame.
   * @param {Turn[]} turns */
  function rehearsed(turns) {
    return make("ol", { className: "turns" }, ...turns.map((turn) => {
      const heard = turn.heard === null
        ? make("p", { className: "quiet" }, words.turnOpen)
        : foreign("p", shown(turn.heard, BODY), "heard code");
      const item = make("li", {}, heard);
      for (const text of turn.said) item.append(foreign("p", words.turnSaid({ text: shown(text, BODY) }), "said"));
      if (turn.unsaid > 0) item.append(make("p", { className: "problem" }, words.turnUnsaid));
      for (const means of turn.means) {
        const told = means === "refused" ? words.turnRefused({ why: shown(turn.refused ?? "", TITLE) }) : MEANINGS()[means];
        const line = foreign("p", told, "means");
        line.dataset.means = means;
        item.append(line);
      }
      for (const message of turn.messages) item.append(drawn(message));
      return item;
    }));
  }

  area.addEventListener("input", (event) => {
    // The sample is no setting.
    event.stopPropagation();
    soon();
  });
  area.addEventListener("change", (event) => event.stopPropagation());
  return {
    element, soon,
    /** @param {boolean} speaks Whether the sample is the frames of a dialogue. */
    speak(speaks) {
      label.textContent = speaks ? words.sampleFrames : words.sample;
      hint.textContent = speaks ? words.sampleFramesHint : words.sampleHint;
    },
  };
}

/** @returns {Record<Exclude<import("../host/api").Meaning, "refused">, string>} */
const MEANINGS = () => ({
  noise: words.turnNoise, sign_in: words.turnSignIn, subscribe: words.turnSubscribe, connected: words.turnConnected,
  caught_up: words.turnCaughtUp, replaced: words.turnReplaced, ended: words.turnEnded,
});
