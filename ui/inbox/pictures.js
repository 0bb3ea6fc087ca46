// The pictures of messages, as the agent keeps them: small PNGs of its own making. They come as data, so that the page has no way
// to fetch anything.

import { make } from "../base/dom.js";

/** Icons, which many messages share, and the last pictures that were looked at. */
const KEPT = 100;

/** Fetches a picture by its name; the address that an image takes, or `null` where it is gone.
 * @typedef {(name: string) => Promise<string | null>} Pictures */

/** @param {(name: string) => Promise<string | null>} fetch
 * @returns {Pictures} */
export function pictures(fetch) {
  /** @type {Map<string, Promise<string | null>>} */
  const known = new Map();
  return (name) => {
    const there = known.get(name);
    if (there !== undefined) return there;
    const coming = fetch(name).then((png) => (png === null ? null : `data:image/png;base64,${png}`));
    // One that could not be had may be there the next time.
    coming.then((source) => source === null && known.delete(name), () => known.delete(name));
    known.set(name, coming);
    if (known.size > KEPT) known.delete([...known.keys()][0] ?? "");
    return coming;
  };
}

/** An image that shows itself once it is there; until then, and where it is gone, nothing is seen of it.
 * @param {string} name @param {string} told What stands for it where it can't be seen; empty: words beside it say it.
 * @param {string} className @param {Pictures} of @param {() => void} [shown] */
export function image(name, told, className, of, shown = () => {}) {
  const element = make("img", { className, alt: told, hidden: true, decoding: "async" });
  element.onload = () => {
    element.hidden = false;
    shown();
  };
  of(name).then((source) => {
    if (source !== null) element.src = source;
  }, () => {});
  return element;
}
