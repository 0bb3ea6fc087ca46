// What is at the address that was typed or pasted: asked of the agent, which sends no secret and subscribes to nothing. What it
// proposes goes into the form, where it can be changed, and counts once the channel is added.

import { foreign, make, pressing } from "../base/dom.js";
import { shown } from "../base/text.js";
import { at, put, same } from "../base/values.js";
import { code, reason } from "../host/errors.js";
import { words } from "../words/words.js";

/** @typedef {import("../base/values.js").Values} Values */
/** @typedef {import("../host/api").Discovery} Discovery */

/** What was found is cut to this many characters. */
const DETAIL = 500;

/** @param {object} page
 * @param {import("../host/contract").Host["discover"]} page.discover
 * @param {() => Values} page.values What stands in the editor; what is proposed is put into it.
 * @param {() => void} page.proposed The editor shows what stands in it now.
 * @param {(error: unknown) => void} page.problem An error that is about a key of the settings. */
export function discoverySection({ discover, values, proposed, problem }) {
  const start = pressing(words.discover, look);
  const result = make("div", { className: "discovered", role: "status" });
  /** What was proposed last: it gives way to the next proposal, unless it was changed.
   * @type {Values} */
  let before = {};
  /** The address that was looked at last.
   * @type {string | null} */
  let looked = null;
  let looks = 0;

  async function look() {
    const address = String(at(values(), "url") ?? "").trim();
    if (address === "") return problem({ code: "invalid_settings", message: words.urlMissing, key: "url" });
    looks += 1;
    const mine = looks;
    result.replaceChildren(make("p", { className: "quiet" }, words.discovering));
    try {
      const found = await discover({ address, values: values() });
      if (mine !== looks) return;
      take(found, address);
    } catch (error) {
      if (mine !== looks) return;
      result.replaceChildren();
      looked = address;
      const key = code(error) === null ? null : /** @type {import("../host/api").PageError} */ (error).key;
      if (key === null) result.replaceChildren(foreign("p", shown(reason(error), DETAIL)));
      else problem(error);
    }
  }

  /** @param {Discovery} found @param {string} address */
  function take(found, address) {
    const text = make("div", {}, foreign("p", shown(found.detail, DETAIL), "verdict"));
    if (found.mend !== null) text.append(foreign("p", shown(found.mend, DETAIL), "mend"));
    if (found.channel !== null) text.append(make("p", { className: "hint" }, words.discoverProposed));
    text.dataset.found = String(found.found !== null);
    result.replaceChildren(text);
    looked = address;
    if (found.channel === null) return;
    const now = values();
    for (const [key, value] of Object.entries(before)) if (key !== "url" && same(at(now, key), value)) put(now, key, undefined);
    before = found.channel;
    for (const [key, value] of Object.entries(before)) {
      // A name of the user's own stays.
      if (key !== "name" || at(now, key) === undefined) put(now, key, value);
    }
    looked = String(before.url ?? address);
    proposed();
  }

  return {
    element: make("div", { className: "discovery" }, make("div", { className: "row" }, start), result),
    look,
    /** Whether it is neither a WebSocket's address nor a broker's, and nobody has looked what it is.
     * @param {string} address */
    isUnknown: (address) => !/^(?:wss?|mqtts?):\/\//i.test(address) && address !== looked,
  };
}
