// A channel's settings as controls. Every key of the settings file's `[[channel]]` is here or in sign-in.js.

import { make } from "../base/dom.js";
import { choiceField, linesField, optionalText, rowsField, small, switchField, textField } from "../forms/fields.js";
import { words } from "../words/words.js";
import { kindFields } from "./kind.js";

/** @typedef {import("../forms/fields.js").Field} Field */

/** The parts of a message that a mapping can name, the usual ones first. */
const MAPPED = /** @type {const} */ ([
  "title", "body", "priority", "url", "id", "time", "tag", "icon", "image", "actions", "silent", "expires",
]);

/** @param {boolean} fresh Whether it is a new channel.
 * @param {import("../host/api").PresetReport[]} presets */
export function channelFields(fresh, presets) {
  const kinds = kindFields(presets);
  const url = textField("url", words.url, { kind: "url", required: true, placeholder: "wss://shop.example/ws/user-channel" });
  const basics = [
    // Of a new one the address tells what is there.
    ...(fresh ? [url, kinds.kind] : [kinds.kind, url]),
    kinds.topics, kinds.preset, kinds.set,
    textField("name", words.name, { hint: words.nameHint }),
    switchField("enabled", words.enabled, words.enabledHint),
  ];
  const messages = [
    choiceField("show", words.show, [["full", words.showFull], ["title", words.showTitle], ["nothing", words.showNothing]], words.showHint),
    choiceField("format", words.format, [["plain", words.formatPlain], ["markdown", words.formatMarkdown]], words.formatHint),
    choiceField("images", words.images, [["never", words.imagesNever], ["own-server", words.imagesOwnServer]], words.imagesHint),
    switchField("app_icons", words.appIcons, words.appIconsHint),
    linesField("ignore", words.ignore, { hint: words.ignoreHint, empty: words.ignoreEmpty }),
    textField("ignore_when", words.ignoreWhen, { kind: "code", hint: words.ignoreWhenHint, placeholder: "json.type == 'ping'" }),
    rulesField(),
  ];
  const mapping = MAPPED.map((name) => textField(`mapping.${name}`, words.mapped(name), { kind: "code", placeholder: "" }));
  const heartbeat = [
    optionalText("heartbeat.text", words.heartbeatText, words.heartbeatOn, words.heartbeatTextHint),
    textField("heartbeat.interval", words.heartbeatInterval, { hint: words.heartbeatIntervalHint }),
    textField("heartbeat.proxy_timeout", words.proxyTimeout, { hint: words.proxyTimeoutHint }),
  ];
  const liveness = [
    textField("liveness.ping_after", words.pingAfter, { hint: words.pingAfterHint }),
    textField("liveness.deadline", words.pingDeadline, { hint: words.pingDeadlineHint }),
  ];
  const backoff = [
    textField("backoff.first", words.backoffFirst, { hint: words.backoffFirstHint }),
    textField("backoff.cap", words.backoffCap, { hint: words.backoffCapHint }),
  ];
  const taking = [
    linesField("quiet_close_codes", words.quietCloseCodes, { hint: words.quietCloseCodesHint, numbers: true }),
    textField("take_back_after", words.takeBackAfter, { hint: words.takeBackAfterHint }),
    textField("resume", words.resumeParameter, { kind: "code", hint: words.resumeHint, placeholder: "since" }),
  ];
  const broker = [
    textField("client_id", words.clientId, { kind: "code", hint: words.clientIdHint }),
    textField("session_expiry", words.sessionExpiry, { hint: words.sessionExpiryHint, placeholder: "1d" }),
  ];
  const sending = [
    textField("send_url", words.sendUrl, { kind: "code", hint: words.sendUrlHint, placeholder: "https://shop.example/push/ann" }),
    textField("send_token_command", words.sendTokenCommand, { kind: "code", hint: words.sendTokenHint, placeholder: "pass show push/app" }),
    textField("send_token_file", words.sendTokenFile, { kind: "code" }),
    textField("send_token_env", words.sendTokenEnv, { kind: "code" }),
    textField("send_app", words.sendApp, { kind: "number", hint: words.sendAppHint, placeholder: "3", least: 1 }),
  ];
  const way = [
    choiceField("carrier", words.carrier, [
      ["auto", words.carrierAuto], ["websocket", words.carrierWebsocket], ["sockjs", words.carrierSockjs],
      ["sockjs-streaming", words.carrierSockjsStreaming], ["sockjs-polling", words.carrierSockjsPolling],
    ], words.carrierHint),
    headersField(),
    textField("proxy", words.proxy, { kind: "code", hint: words.proxyHint, placeholder: "socks5://127.0.0.1:1080" }),
    textField("ca_file", words.caFile, { kind: "code", hint: words.caFileHint, placeholder: "/etc/ssl/corp.pem" }),
    textField("client_cert", words.clientCert, { kind: "code", hint: words.clientCertHint, placeholder: "desk.pem" }),
    textField("client_key", words.clientKey, { kind: "code", hint: words.clientKeyHint, placeholder: "desk.key" }),
    switchField("allow_plaintext", words.allowPlaintext, words.allowPlaintextHint),
  ];
  // An id stays: inbox, secret and last message hang on it.
  const id = fresh ? [textField("id", words.channelId, { kind: "code", hint: words.channelIdHint })] : [];
  /** @type {[string, string | null, Field[]][]} */
  const advancedGroups = [
    [words.heartbeat, words.heartbeatGroupText, heartbeat],
    [words.liveness, null, liveness],
    [words.backoff, null, backoff],
    [words.takingOver, null, taking],
    [words.broker, null, broker],
    [words.sending, words.sendingText, sending],
    [words.wayThere, null, [...way, ...id]],
  ];
  return { basics, kinds, messages, mapping, heartbeat, advanced: advancedGroups.flatMap(([, , fields]) => fields), advancedGroups };
}

/** @returns {Field} */
function headersField() {
  return rowsField("headers", words.headers, {
    hint: words.headersHint,
    add: words.addHeader,
    remove: words.remove,
    fresh: () => ({ name: "", value: "" }),
    row(item) {
      const name = make("input", { type: "text", value: item.name, spellcheck: false, className: "code", placeholder: "X-Client" });
      const value = make("input", { type: "text", value: item.value, spellcheck: false, className: "code" });
      const element = make("div", { className: "row" }, small(words.headerName, name), small(words.headerValue, value));
      return { element, read: () => ({ name: name.value.trim(), value: value.value }) };
    },
    items: (value) => Object.entries(value ?? {}).map(([name, text]) => ({ name, value: String(text) })),
    value(items) {
      const named = items.filter((item) => item.name !== "");
      return named.length === 0 ? undefined : Object.fromEntries(named.map((item) => [item.name, item.value]));
    },
  });
}

/** @param {[string, string][]} options @param {string} value */
function select(options, value) {
  const made = make("select", {}, ...options.map(([key, text]) => make("option", { value: key }, text)));
  made.value = value;
  return made;
}

/** @returns {Field} */
function rulesField() {
  return rowsField("rule", words.rules, {
    hint: words.rulesHint,
    add: words.addRule,
    remove: words.remove,
    fresh: () => /** @type {Record<string, any>} */ ({}),
    row(item) {
      const when = make("input", { type: "text", value: item.when ?? "", spellcheck: false, className: "code", placeholder: "priority >= 4" });
      const then = select([["", words.thenDefault], ["notify", words.thenNotify], ["silent", words.thenSilent], ["store", words.thenStore]], item.then ?? "");
      const urgency = select([["", words.urgencyDefault], ["low", words.urgencyLow], ["normal", words.urgencyNormal], ["critical", words.urgencyCritical]], item.urgency ?? "");
      const sound = make("input", { type: "text", value: item.sound ?? "", spellcheck: false, className: "code", placeholder: "message-new-instant" });
      const element = make(
        "div",
        { className: "row" },
        small(words.ruleWhen, when), small(words.ruleThen, then), small(words.ruleUrgency, urgency), small(words.ruleSound, sound),
      );
      return {
        element,
        read() {
          const parts = { when: when.value.trim(), then: then.value, urgency: urgency.value, sound: sound.value.trim() };
          return Object.fromEntries(Object.entries(parts).filter(([, text]) => text !== ""));
        },
      };
    },
    items: (value) => value ?? [],
    value: (items) => (items.length === 0 ? undefined : items),
  });
}
