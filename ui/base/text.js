// Untrusted text made fit to be shown and searched. It only ever reaches the page as text, never as markup.

/** What turns the direction of text around (Unicode UAX #9), and control characters but line break and tab. */
const DECEIVING = /[\u202A-\u202E\u2066-\u2069\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;
const ACCENTS = /[\u0300-\u036F]/g;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** At most `limit` UTF-16 units, no half character at the end.
 * @param {string} text
 * @param {number} limit */
export function cut(text, limit) {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const half = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, half ? limit - 1 : limit);
}

/** As [`cut`], copied: a slice would keep all of a long text in memory.
 * @param {string} text
 * @param {number} limit */
export function kept(text, limit) {
  return text.length <= limit ? text : decoder.decode(encoder.encode(cut(text, limit)));
}

/** For reading: cut, with an ellipsis if so, and without what deceives.
 * @param {string} text
 * @param {number} limit */
export function shown(text, limit) {
  const start = cut(text, limit);
  return start.replaceAll("\r\n", "\n").replace(DECEIVING, "") + (start.length < text.length ? "…" : "");
}

/** For comparing: neither case, width nor accents count.
 * @param {string} text */
export function folded(text) {
  return text.normalize("NFKD").replace(ACCENTS, "").toUpperCase();
}
