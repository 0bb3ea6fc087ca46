// Every text that the page itself says, in the language in force. The texts are those of the catalogue that the agent
// uses, too (src-tauri/words/locales), made into the modules of the folder made. What channels, messages and errors
// say comes from elsewhere and is untrusted.

import { clock, day, full, inWords, timesIn } from "../base/time.js";
import en from "./made/en.js";
import zhCN from "./made/zh-CN.js";

/** @typedef {import("../host/api").ChannelReport} ChannelReport */
/** @typedef {import("../host/api").Action} Action */
/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {{ en: typeof en, "zh-CN": typeof en }} */
const LANGUAGES = { en, "zh-CN": zhCN };

/** Where the language of the last time is kept, so that the first words are in it before the agent is there. */
const REMEMBERED = "language";

/** @param {typeof en} texts */
function joined(texts) {
  /** What may be missing of a channel; empty where nothing is.
   * @param {ChannelReport} channel
   * @param {Date} now */
  function gap({ caught_up }, now) {
    if (caught_up?.complete !== false) return "";
    const from = caught_up.from === null ? "" : clock(caught_up.from, now);
    const until = caught_up.until === null ? "" : clock(caught_up.until, now);
    if (from !== "" && until !== "") return texts.gapBetween({ from, until });
    if (from !== "") return texts.gapSince({ from });
    return until === "" ? texts.gapSome : texts.gapBefore({ until });
  }

  return {
    ...texts,

    /** @type {Record<Action, string>} */
    commands: {
      connect: texts.actionConnect,
      reconnect_now: texts.actionReconnectNow,
      take_over: texts.actionTakeOver,
      disconnect: texts.actionDisconnect,
    },

    gap,

    /** What a channel is doing, as the tray's menu tells it. Times are absolute: nothing has to tick.
     * @param {ChannelReport} channel
     * @param {Date} now */
    state(channel, now) {
      const cause = channel.cause ?? "";
      const topics = channel.left_out?.join(", ") ?? "";
      /** @param {string} state */
      const without = (state) => {
        const missing = gap(channel, now);
        if (missing !== "") return texts.stateGap({ state, gap: missing });
        return topics === "" ? state : texts.stateLeftOut({ state, topics });
      };
      switch (channel.state) {
        case "connected":
          return without(
            channel.answers_pings === false
              ? texts.stateConnectedUnchecked({ time: clock(channel.since, now) })
              : texts.stateConnected({ time: clock(channel.since, now) }),
          );
        case "connecting":
          if (channel.stage === "sign_in") return texts.stateConnectingStage({ stage: texts.stageSignIn });
          if (channel.stage === "subscribe") return texts.stateConnectingStage({ stage: texts.stageSubscribe });
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

    /** @param {number} priority */
    priority(priority) {
      const level = [texts.priorityLowest, texts.priorityLow, texts.priorityNormal, texts.priorityHigh, texts.priorityUrgent];
      return level[priority - 1] ?? texts.priorityNormal;
    },
    /** @param {string} time RFC 3339 @param {Date} now */
    received: (time, now) => day(time, now),
    /** @param {string} time RFC 3339 */
    fullTime: (time) => full(time),
    clock,

    /** @param {number} count */
    number: (count) => count.toLocaleString(language),
    /** Rounded down: 100 % means all of it.
     * @param {number} part Of 1. */
    percent: (part) => (Math.floor(part * 1000) / 1000).toLocaleString(language, { style: "percent", maximumFractionDigits: 1 }),
    /** @param {number} count */
    bytes(count) {
      const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
      const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
      const size = count / 1000 ** step;
      const digits = step === 0 || size >= 100 ? 0 : 1;
      return size.toLocaleString(language, { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: digits });
    },
    /** @param {number} milliseconds */
    duration: (milliseconds) => inWords(milliseconds, texts),

    /** A step of a trial.
     * @param {string} step */
    step(step) {
      /** @type {Record<string, string>} */
      const names = {
        secret: texts.stepSecret, name: texts.stepName, address: texts.stepAddress, proxy: texts.stepProxy,
        tcp: texts.stepTcp, tls: texts.stepTls, upgrade: texts.stepUpgrade, "sign-in": texts.stepSignIn, subscription: texts.stepSubscription, ping: texts.stepPing,
      };
      return names[step] ?? step;
    },

    /** A part of a message that a mapping names.
     * @param {"title" | "body" | "id" | "time" | "priority" | "url" | "icon" | "image" | "tag" | "actions" | "silent" | "expires"} part */
    mapped(part) {
      const names = {
        title: texts.mappedTitle, body: texts.mappedBody, id: texts.mappedId, time: texts.mappedTime,
        priority: texts.mappedPriority, url: texts.mappedUrl, icon: texts.mappedIcon, image: texts.mappedImage,
        tag: texts.mappedTag, actions: texts.mappedActions, silent: texts.mappedSilent, expires: texts.mappedExpires,
      };
      return names[part];
    },

    /** @param {import("../host/api").StateName} state */
    stateName(state) {
      const names = {
        connected: texts.nameConnected, connecting: texts.nameConnecting, waiting: texts.nameWaiting,
        disconnected: texts.nameDisconnected, replaced: texts.nameReplaced, needs_user: texts.nameNeedsUser,
      };
      return names[state];
    },

    /** @param {import("../host/api").CarrierName} carrier */
    carried(carrier) {
      const names = {
        "websocket": texts.carriedWebsocket, "sse": texts.carriedSse, "json-lines": texts.carriedJsonLines, "mqtt": texts.carriedMqtt,
        "sockjs": texts.carriedSockjs, "sockjs-streaming": texts.carriedSockjsStreaming, "sockjs-polling": texts.carriedSockjsPolling,
      };
      return names[carrier];
    },

    /** Why another carrier is in use.
     * @param {import("../host/api").InsteadOf} instead */
    whyInstead({ carrier, failed, cause }) {
      const of = this.carried(carrier);
      return cause === undefined ? texts.carriedInsteadKnown({ of }) : texts.carriedInstead({ of, times: failed, cause });
    },

    /** A stretch of time in one state.
     * @param {import("../host/api").Band} band @param {Date} now */
    bandLine(band, now) {
      const told = { from: clock(band.from, now, true), to: clock(band.to, now, true), state: this.stateName(band.state) };
      return band.cause === null ? texts.bandLine(told) : texts.bandLineBecause({ ...told, cause: band.cause });
    },

    /** What a close code means, or what the server said to it.
     * @param {import("../host/api").Close} close */
    closeOf: ({ code, reason }) => (reason === "" ? because(code, texts) : reason),

    /** Why a link ended, for a list.
     * @param {import("../host/api").LinkReport} link */
    causeOf: (link) => capitalised(link.cause ?? because(link.code, texts) ?? texts.becauseLost),

    /** When and why a link ended, and when the next one was there.
     * @param {import("../host/api").LinkReport} link @param {Date} now */
    fell(link, now) {
      const time = clock(link.ended ?? link.opened, now);
      const known = because(link.code, texts) ?? (link.cause === null ? texts.becauseLost : null);
      const told = { time, cause: known ?? link.cause ?? "" };
      if (link.back === null || link.ended === null) return known === null ? texts.fellSaid(told) : texts.fell(told);
      const after = inWords(Date.parse(link.back) - Date.parse(link.ended), texts);
      return known === null ? texts.fellSaidBack({ ...told, after }) : texts.fellBack({ ...told, after });
    },
  };
}

/** Traditional Chinese is another language. */
const CHINESE = /^zh\b(?!-(TW|HK|MO|Hant))/;

/** The language in force.
 * @type {Language} */
export let language = known(localStorage.getItem(REMEMBERED)) ?? (CHINESE.test(navigator.language) ? "zh-CN" : "en");
export let words = joined(LANGUAGES[language]);

/** Speaks this language from now on; whether it is another one, and known.
 * @param {string} tag */
export function speak(tag) {
  const wanted = known(tag);
  if (wanted === undefined || wanted === language) return false;
  language = wanted;
  localStorage.setItem(REMEMBERED, language);
  words = joined(LANGUAGES[language]);
  settle();
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

/** What a close code says, as the rest of a sentence.
 * @param {number | null} code @param {typeof en} texts */
function because(code, texts) {
  /** @type {Record<number, string>} */
  const known = {
    1000: texts.becauseClosed, 1001: texts.becauseAway, 1011: texts.becauseError, 1012: texts.becauseRestarted,
    1013: texts.becauseBusy, 4500: texts.becauseReplaced,
  };
  return code === null ? null : (known[code] ?? null);
}

/** As a sentence begins, but for one that begins with a host's name.
 * @param {string} text */
function capitalised(text) {
  const [first = ""] = text;
  if (/^\S+\.\S*[^\s.:]/u.test(text)) return text;
  return first.toUpperCase() + text.slice(first.length);
}

settle();
