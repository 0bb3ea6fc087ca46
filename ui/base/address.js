// Addresses of channels as people type them.

/** An address as it is meant: people copy that of the web app, or leave the scheme away.
 * @param {string} typed */
export function addressOf(typed) {
  const text = typed.trim();
  if (text !== "" && !text.includes("://")) return `wss://${text}`;
  return text.replace(/^https:\/\//i, "wss://");
}
