// Trying a channel: the agent's steps as they come, each with a tick or a cross, what was found and the mend.

import { foreign, make, pressing, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { code, reason } from "../host/errors.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").Step} Step */

/** What was found is cut to this many characters. */
const DETAIL = 500;

/** @param {object} page
 * @param {import("../host/contract").Host["test"]} page.test
 * @param {() => import("../host/api").Trial} page.trial What stands in the editor.
 * @param {(error: unknown) => void} page.problem An error that is about a key of the settings. */
export function trialSection({ test, trial, problem }) {
  const list = make("ol", { className: "trial", hidden: true });
  const verdict = make("p", { className: "verdict", role: "status" });
  const start = pressing(words.testConnection, run);
  const warning = make("p", { className: "hint" }, words.testWarning);
  let runs = 0;

  async function run() {
    runs += 1;
    const mine = runs;
    list.replaceChildren();
    list.hidden = false;
    verdict.textContent = words.testing;
    verdict.dataset.ok = "";
    let well = true;
    try {
      await test(trial(), (step) => {
        if (mine !== runs) return;
        if (step.ok === false) well = false;
        list.append(line(step));
      });
      if (mine !== runs) return;
      verdict.textContent = well ? words.testGood : words.testBad;
    } catch (error) {
      if (mine !== runs) return;
      well = false;
      const key = code(error) === null ? null : /** @type {import("../host/api").PageError} */ (error).key;
      verdict.textContent = key === null ? shown(reason(error), DETAIL) : words.testBad;
      if (key !== null) problem(error);
    }
    verdict.dataset.ok = String(well);
    list.hidden = list.childElementCount === 0;
  }

  /** @param {Step} step */
  function line(step) {
    const mark = step.ok === null ? "dot" : step.ok ? "check" : "cross";
    const said = step.ok === null ? words.stepNoted : step.ok ? words.stepGood : words.stepBad;
    const icon = make("span", { className: "mark", role: "img", ariaLabel: said }, shape(mark));
    icon.dataset.mark = mark;
    const head = make("p", {}, make("b", {}, words.step(step.step)), " ");
    if (step.ms !== null) head.append(make("span", { className: "quiet" }, words.milliseconds({ ms: Math.round(step.ms) })));
    const text = make("div", {}, head, foreign("p", shown(step.detail, DETAIL)));
    if (step.mend !== null) text.append(foreign("p", shown(step.mend, DETAIL), "mend"));
    return make("li", {}, icon, text);
  }

  return {
    element: make("div", { className: "trial-section" }, make("div", { className: "row" }, start, verdict), warning, list),
    /** @param {boolean} is Whether the test may take somebody's place: at an MQTT broker it takes nobody's. */
    disturbs(is) {
      warning.hidden = !is;
    },
    /** What was found belongs to other settings. */
    forget() {
      runs += 1;
      list.replaceChildren();
      list.hidden = true;
      verdict.textContent = "";
    },
  };
}
