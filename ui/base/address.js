// Addresses of channels as people type them.

/** An address as it is meant: people copy that of the web app, or leave the scheme away.
 * @param {string} typed
 * @param {boolean} [server] It is a server's, which is written as that of a page. */
export function addressOf(typed, server = false) {
  const text = typed.trim();
  if (text !== "" && !text.includes("://")) return `${server ? "https" : "wss"}://${text}`;
  if (server) return text;
  return text.replace(/^https:\/\//i, "wss://");
}
