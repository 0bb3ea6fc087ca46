// Every text that the page itself says, in the language in force. The texts are those of the catalogue that the agent
// uses, too (src-tauri/words/locales), made into the modules of the folder words. What channels, messages and errors
// say comes from elsewhere and is untrusted.

import { clock, day, full, timesIn } from "./time.js";
import en from "./words/en.js";
import zhCN from "./words/zh-CN.js";

/** @typedef {import("./api").ChannelReport} ChannelReport */
/** @typedef {import("./api").Action} Action */
/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {{ en: typeof en, "zh-CN": typeof en }} */
const LANGUAGES = { en, "zh-CN": zhCN };

/** Where the language of the last time is kept, so that the first words are in it before the agent is there. */
const REMEMBERED = "language";

/** The settings file's place as a person on Linux finds it. */
const SETTINGS_FILE = "~/.config/tidings/config.toml";

/** @param {typeof en} texts */
function joined(texts) {
  return {
    ...texts,

    /** @type {Record<Action, string>} */
    commands: {
      connect: texts.actionConnect,
      reconnect_now: texts.actionReconnectNow,
      take_over: texts.actionTakeOver,
      disconnect: texts.actionDisconnect,
    },

    /** What a channel is doing, as the tray's menu tells it. Times are absolute: nothing has to tick.
     * @param {ChannelReport} channel
     * @param {Date} now */
    state(channel, now) {
      const cause = channel.cause ?? "";
      switch (channel.state) {
        case "connected":
          return texts.stateConnected({ time: clock(channel.since, now) });
        case "connecting":
          return channel.attempt > 1 ? texts.stateConnectingAgain({ attempt: channel.attempt }) : texts.stateConnecting;
        case "waiting": {
          const time = clock(channel.retry_at ?? channel.since, now, true);
          return cause === "" ? texts.stateWaiting({ time }) : texts.stateWaitingBecause({ cause, time });
        }
        case "disconnected":
          return texts.stateDisconnected;
        case "replaced":
          return texts.stateReplaced({ time: clock(channel.since, now) });
        case "needs_user":
          return cause === "" ? texts.needsYou : capitalised(cause);
      }
    },

    /** @param {string} until RFC 3339 @param {Date} now */
    pausedTill(until, now) {
      const forever = new Date(until).getFullYear() > 9000;
      return forever ? texts.paused : texts.pausedUntil({ time: clock(until, now) });
    },

    noChannelExample: `# ${SETTINGS_FILE}
[[channel]]
name = "Orders"
url = "wss://shop.example/ws/user-channel"
token_command = "pass show shop/token"
`,
    settingsFile: SETTINGS_FILE,

    /** @param {number} priority */
    priority(priority) {
      const level = [texts.priorityLowest, texts.priorityLow, texts.priorityNormal, texts.priorityHigh, texts.priorityUrgent];
      return level[priority - 1] ?? texts.priorityNormal;
    },
    /** @param {string} time RFC 3339 @param {Date} now */
    received: (time, now) => day(time, now),
    /** @param {string} time RFC 3339 */
    fullTime: (time) => full(time),
  };
}

/** Traditional Chinese is another language. */
const CHINESE = /^zh\b(?!-(TW|HK|MO|Hant))/;

/** The language in force.
 * @type {Language} */
export let language = known(localStorage.getItem(REMEMBERED)) ?? (CHINESE.test(navigator.language) ? "zh-CN" : "en");
export let words = joined(LANGUAGES[language]);

/** @type {Set<() => void>} */
const sayers = new Set();

/** Runs `say` now, and again after each change of the language: for texts that are put down once.
 * @param {() => void} say */
export function said(say) {
  sayers.add(say);
  say();
}

/** Speaks this language from now on; whether it is another one, and known.
 * @param {string} tag */
export function speak(tag) {
  const wanted = known(tag);
  if (wanted === undefined || wanted === language) return false;
  language = wanted;
  localStorage.setItem(REMEMBERED, language);
  words = joined(LANGUAGES[language]);
  settle();
  for (const say of sayers) say();
  return true;
}

function settle() {
  document.documentElement.lang = language;
  timesIn(language);
}

/** @param {string | null} tag
 * @returns {Language | undefined} */
function known(tag) {
  return tag === "en" || tag === "zh-CN" ? tag : undefined;
}

/** @param {string} text */
function capitalised(text) {
  const [first = ""] = text;
  return first.toUpperCase() + text.slice(first.length);
}

settle();
