// What the page says. Made from src-tauri/words/locales/en: UPDATE=1 cargo test -p tidings-words

const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat("en");

/** The variant of the first of these names that there is, or else the last one.
 * @param {Record<string, string>} variants @param {string[]} names */
function byName(variants, ...names) {
  const all = Object.entries(variants);
  const found = names.map((name) => all.find(([known]) => known === name)).find((entry) => entry !== undefined);
  return (found ?? all.at(-1))?.[1] ?? "";
}

/** The variant for this many: of the number itself, or of its plural category.
 * @param {number} count @param {Record<string, string>} variants */
const byCount = (count, variants) => byName(variants, String(count), plurals.select(count));

export default {
  /** @param {{ time: string }} variables */
  stateConnected: ({ time }) => `Connected since ${time}`,
  stateConnecting: "Connecting",
  /** @param {{ attempt: number }} variables */
  stateConnectingAgain: ({ attempt }) => `Connecting (attempt ${numbers.format(attempt)})`,
  /** @param {{ time: string }} variables */
  stateWaiting: ({ time }) => `Reconnecting at ${time}`,
  /** @param {{ cause: string, time: string }} variables */
  stateWaitingBecause: ({ cause, time }) => `Reconnecting at ${time}: ${cause}`,
  stateDisconnected: "Disconnected",
  /** @param {{ time: string }} variables */
  stateReplaced: ({ time }) => `Replaced by another tab or device since ${time}`,
  actionConnect: "Connect",
  actionReconnectNow: "Reconnect now",
  actionTakeOver: "Take over here",
  actionDisconnect: "Disconnect",
  actionConnectAll: "Connect all",
  actionDisconnectAll: "Disconnect all",
  channels: "Channels",
  messages: "Messages",
  needsYou: "Needs your attention",
  stateUnknown: "Not connected while Tidings’ back end is away",
  /** @param {{ name: string, state: string }} variables */
  channelNews: ({ name, state }) => `${name}: ${state}`,
  /** @param {{ time: string }} variables */
  pausedUntil: ({ time }) => `Popups are paused until ${time}. Messages still arrive here.`,
  paused: "Popups are paused until you resume them in the tray’s menu. Messages still arrive here.",
  noChannelTitle: "No channel yet",
  /** @param {{ file: string }} variables */
  noChannelText: ({ file }) => `Write these lines to ${file}, with your own name, address and token:`,
  noChannelThen: "The channel appears here as soon as the file is saved. Nothing needs to be restarted.",
  copyExample: "Copy these lines",
  goneTitle: "Tidings’ back end is not running.",
  goneText: "It is looked for all the time, and this page goes on by itself once it is back.",
  start: "Start it",
  versionTitle: "Tidings’ back end is of another version than this window.",
  versionText: "A restart of the back end mends that; every channel is connected again afterwards.",
  restart: "Restart it",
  failedTitle: "That did not work.",
  dismiss: "Dismiss",
  looking: "Looking for Tidings’ back end…",
  search: "Search messages",
  searchHint: "Search",
  /** @param {{ all: number, found: number }} variables */
  found: ({ all, found }) => `${byCount(all, { "one": `${numbers.format(found)} of ${numbers.format(all)} message`, "other": `${numbers.format(found)} of ${numbers.format(all)} messages` })}`,
  noMessagesTitle: "No messages yet",
  noMessagesText: "What your channels send appears here, newest first, and as a notification on your desktop.",
  noMessagesNoLink: "No channel is connected right now: connect one above to receive messages.",
  noMessagesNoChannel: "Messages appear here once there is a channel.",
  noHitsTitle: "No message found",
  /** @param {{ all: number, searched: string }} variables */
  noHitsText: ({ all, searched }) => `${byCount(all, { "one": `The only message does not have “${searched}” in its title, text or channel.`, "other": `None of the newest ${numbers.format(all)} has “${searched}” in its title, text or channel.` })}`,
  clearSearch: "Clear search",
  loadFailedTitle: "The messages could not be loaded",
  tryAgain: "Try again",
  unread: "Unread",
  untitled: "Untitled",
  priorityLowest: "Lowest",
  priorityLow: "Low",
  priorityNormal: "Normal",
  priorityHigh: "High",
  priorityUrgent: "Urgent",
  openLink: "Open link",
  title: "Title",
  body: "Text",
  noBody: "This message has no text.",
  receivedAt: "Received",
  channel: "Channel",
  id: "Id",
  priorityLabel: "Priority",
  link: "Link",
  raw: "As the server sent it",
  rawBytes: "As the server sent it (bytes, in base64)",
  /** @param {{ limit: number }} variables */
  cut: ({ limit }) => `Only the first ${numbers.format(limit)} characters are shown. Copying takes all of it.`,
  copyBody: "Copy text",
  copyRaw: "Copy original",
  copied: "Copied",
  copyFailed: "Your desktop did not let Tidings copy. Select the text and copy it with Ctrl+C.",
  copyDiagnostics: "Copy diagnostics",
  diagnosticsTitle: "Diagnostics",
  diagnosticsHint: "The desktop did not allow copying by itself. Press Ctrl+C to copy this text.",
  close: "Close",
  /** @param {{ version: string }} variables */
  version: ({ version }) => `Tidings ${version}`,
};
