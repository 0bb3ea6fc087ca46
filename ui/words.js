// Every text that the page itself says, so that a catalogue of another language can take this file's place.
// What channels, messages and errors say comes from elsewhere and is untrusted.

import { clock, day, full } from "./time.js";

/** @typedef {import("./api").ChannelReport} ChannelReport */
/** @typedef {import("./api").Action} Action */

/** The settings file's place as a person on Linux finds it. */
const SETTINGS_FILE = "~/.config/tidings/config.toml";

export const words = {
  channels: "Channels",
  messages: "Messages",
  notices: "Notices",

  /** @type {Record<Action, string>} */
  commands: {
    connect: "Connect",
    reconnect_now: "Reconnect now",
    take_over: "Take over here",
    disconnect: "Disconnect",
  },
  connectAll: "Connect all",
  disconnectAll: "Disconnect all",

  /** What a channel is doing, as the tray's menu tells it. Times are absolute: nothing has to tick.
   * @param {ChannelReport} channel
   * @param {Date} now */
  state(channel, now) {
    const cause = channel.cause ?? "";
    switch (channel.state) {
      case "connected":
        return `Connected since ${clock(channel.since, now)}`;
      case "connecting":
        return channel.attempt > 1 ? `Connecting (attempt ${channel.attempt})` : "Connecting";
      case "waiting": {
        const at = channel.retry_at === null ? "" : ` at ${clock(channel.retry_at, now, true)}`;
        return `Reconnecting${at}${cause === "" ? "" : `: ${cause}`}`;
      }
      case "disconnected":
        return "Disconnected";
      case "replaced":
        return `Replaced by another tab or device since ${clock(channel.since, now)}`;
      case "needs_user":
        return cause === "" ? "Needs your attention" : capitalised(cause);
    }
  },
  stateUnknown: "Not connected while Tidings’ back end is away",
  /** @param {string} name @param {string} state */
  channelNews: (name, state) => `${name}: ${state}`,
  /** @param {string} until RFC 3339 @param {Date} now */
  paused(until, now) {
    const forever = new Date(until).getFullYear() > 9000;
    const end = forever ? "until you resume them in the tray’s menu" : `until ${clock(until, now)}`;
    return `Popups are paused ${end}. Messages still arrive here.`;
  },

  noChannelTitle: "No channel yet",
  noChannelText: `Write these lines to ${SETTINGS_FILE}, with your own name, address and token:`,
  noChannelExample: `# ${SETTINGS_FILE}
[[channel]]
name = "Orders"
url = "wss://shop.example/ws/user-channel"
token_command = "pass show shop/token"
`,
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
  /** @param {number} found @param {number} all */
  found: (found, all) => `${found} of ${all} ${all === 1 ? "message" : "messages"}`,
  noMessagesTitle: "No messages yet",
  noMessagesText: "What your channels send appears here, newest first, and as a notification on your desktop.",
  noMessagesNoLink: "No channel is connected right now: connect one above to receive messages.",
  noMessagesNoChannel: "Messages appear here once there is a channel.",
  noHitsTitle: "No message found",
  /** @param {string} searched @param {number} all */
  noHitsText: (searched, all) => `None of the newest ${all} has “${searched}” in its title, text or channel.`,
  clearSearch: "Clear search",
  loadFailedTitle: "The messages could not be loaded",
  tryAgain: "Try again",

  unread: "Unread",
  untitled: "Untitled",
  /** @param {number} priority */
  priority: (priority) => ["", "Lowest", "Low", "Normal", "High", "Urgent"][priority] ?? "Normal",
  openLink: "Open link",
  /** @param {string} time RFC 3339 @param {Date} now */
  received: (time, now) => day(time, now),
  fullTime: full,
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
  /** @param {number} limit */
  cut: (limit) =>
    `Only the first ${limit.toLocaleString("en")} characters are shown. Copying takes all of it.`,
  copyBody: "Copy text",
  copyRaw: "Copy original",
  copied: "Copied",
  copyFailed: "Your desktop did not let Tidings copy. Select the text and copy it with Ctrl+C.",

  copyDiagnostics: "Copy diagnostics",
  diagnosticsTitle: "Diagnostics",
  diagnosticsHint: "The desktop did not allow copying by itself. Press Ctrl+C to copy this text.",
  close: "Close",
  /** @param {string} version */
  version: (version) => `Tidings ${version}`,
};

/** @param {string} text */
function capitalised(text) {
  const [first = ""] = text;
  return first.toUpperCase() + text.slice(first.length);
}
