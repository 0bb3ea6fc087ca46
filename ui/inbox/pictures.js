// The pictures of messages, as the agent keeps them: small PNGs of its own making. They come as data, so that the page has no way
// to fetch anything.

import { make } from "../base/dom.js";

/** Fetches a picture by its name; the address that an image takes, or `null` where it is gone.
 * @typedef {(name: string) => Promise<string | null>} Pictures */

/** Whoever asks while one is on its way shares it; none is kept beside the images that show it, for the next one of its name may
 * be another.
 * @param {(name: string) => Promise<string | null>} fetch
 * @returns {Pictures} */
export function pictures(fetch) {
  /** @type {Map<string, Promise<string | null>>} */
  const coming = new Map();
  return (name) => {
    const shared = coming.get(name);
    if (shared !== undefined) return shared;
    const source = fetch(name)
      .then((png) => (png === null ? null : `data:image/png;base64,${png}`))
      .finally(() => coming.delete(name));
    coming.set(name, source);
    return source;
  };
}

/** An image that shows itself once it is there; until then nothing is seen of it.
 * @param {string} told What stands for it where it can't be seen; empty: words beside it say it.
 * @param {string} className @param {() => void} [shown] */
export function image(told, className, shown = () => {}) {
  const element = make("img", { className, alt: told, hidden: true, decoding: "async" });
  element.onload = () => {
    element.hidden = false;
    shown();
  };
  return element;
}

/** Makes an image show this; where that is gone or can't be had, it stays as it is.
 * @param {HTMLImageElement} element @param {string} name @param {Pictures} of */
export function fill(element, name, of) {
  of(name).then((source) => {
    if (source !== null && element.src !== source) element.src = source;
  }, () => {});
}
