// Addresses of channels as people type them.

/** What an address of these kinds begins with; of all others it is a WebSocket's.
 * @type {Record<string, string>} */
const SCHEMES = { ntfy: "https", gotify: "https", mqtt: "mqtts" };

/** An address as it is meant: people copy that of the web app, or leave the scheme away.
 * @param {string} typed
 * @param {string} [kind] The channel's. */
export function addressOf(typed, kind = "recipe") {
  const text = typed.trim();
  const scheme = SCHEMES[kind];
  if (text !== "" && !text.includes("://")) return `${scheme ?? "wss"}://${text}`;
  if (scheme === "https") return text;
  return text.replace(/^https:\/\//i, "wss://");
}
