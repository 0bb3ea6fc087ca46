// The settings file as the page knows it: what stood in it when it was last read, and the way to change it. Edits
// go one after the other, each from the revision that the one before left.

import * as host from "./host.js";

/** @typedef {import("./api").SettingsReport} SettingsReport */
/** @typedef {import("./api").Edit} Edit */

/** @type {SettingsReport | null} */
let known = null;
/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/** What was last read. */
export const settings = () => known;

/** Reads the file anew.
 * @returns {Promise<SettingsReport>} */
export function read() {
  return inTurn(async () => (known = await host.settings()));
}

/** Writes all of the edits, or none. From what is known, or from an older reading that the edits were made from.
 * @param {Edit[]} edits
 * @param {string} [revision]
 * @returns {Promise<SettingsReport>} */
export function edit(edits, revision) {
  return inTurn(async () => {
    known ??= await host.settings();
    known = await host.editSettings(revision ?? known.revision, edits);
    return known;
  });
}

/** @template Type
 * @param {() => Promise<Type>} work
 * @returns {Promise<Type>} */
function inTurn(work) {
  const mine = queue.then(work);
  queue = mine.catch(() => {});
  return mine;
}
