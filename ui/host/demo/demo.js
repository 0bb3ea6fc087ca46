// The second host: a make-believe agent, so that the page opens in any browser from a static file server, for
// working on it and for its tests. `?scenario=NAME` chooses what it plays (scenarios.js), without one a lively
// day; `language` and `theme` say what the settings would.

import { folded } from "../../base/text.js";
import { healthOf } from "./health.js";
import { channel as channelOf, message as messageOf, now, scenarios, SOON } from "./scenarios.js";
import { pictureOf } from "./pictures.js";
import { previewOf, rehearsalOf, settingsFile } from "./settings.js";

/** @typedef {import("../api").PageEvent} PageEvent */
/** @typedef {import("../api").PageCommand} PageCommand */
/** @typedef {import("../api").PageError} PageError */
/** @typedef {import("../api").ChannelReport} ChannelReport */
/** @typedef {import("../api").StoredMessage} StoredMessage */
/** @typedef {import("../api").Step} Step */
/** @typedef {import("./scenarios.js").Agent} Agent */
/** @typedef {import("./scenarios.js").Scenario} Scenario */
/** @typedef {import("../contract").Host} Host */

const VERSION = "0.1.0";
/** An answer of the agent is not longer, in characters. */
const LONGEST_ANSWER = 4 << 20;
/** Between two steps of a trial, in milliseconds. */
const STEP = 60;

/** The host of the scenario that the address names.
 * @returns {Host} */
export function demo() {
  const asked = new URLSearchParams(location.search);
  const language = asked.get("language") ?? "en";
  const scenario = (scenarios[asked.get("scenario") ?? "day"] ?? scenarios.day)?.(language);
  if (scenario === undefined) throw new Error("no scenario");
  return agentOf(scenario, language, asked.get("theme") ?? "auto");
}

/** @param {Scenario} scenario @param {string} language @param {string} theme
 * @returns {Host} */
function agentOf(scenario, language, theme) {
  let { channels } = scenario;
  const { refuses, plays } = scenario;
  let stored = scenario.messages.map((draft, place) => ({ ...draft, row: place + 1 }));
  let rows = stored.length;
  let sent = 0;
  let there = scenario.gone === undefined;
  let version = scenario.version ?? VERSION;
  let paused = scenario.paused ?? null;
  /** Icons that are other ones now.
   * @type {Set<string>} */
  const repainted = new Set();
  /** @type {(event: PageEvent) => void} */
  let tell = () => {};

  /** @param {string} name */
  const unreadOf = (name) => stored.filter((message) => message.unread && message.channel === name).length;

  function snapshot() {
    if (!there) return;
    channels = channels.map((channel) => ({ ...channel, unread: unreadOf(channel.name) }));
    const unread = stored.filter((message) => message.unread).length;
    tell({ type: "snapshot", version, language, theme, paused_until: paused, unread, notices: scenario.notices ?? [], channels });
  }

  function greet() {
    tell({ type: "agent_connected", version, other_version: version !== VERSION });
    snapshot();
  }

  /** Once, however many messages came. */
  let counted = true;
  function count() {
    if (!counted) return;
    counted = false;
    setTimeout(() => {
      counted = true;
      snapshot();
    }, 20);
  }

  /** @type {Agent} */
  const agent = {
    receive(draft) {
      rows += 1;
      const message = { ...draft, row: rows, received_at: now() };
      stored.push(message);
      if (there) tell({ type: "message", ...message });
      count();
    },
    change(id, change) {
      channels = channels.map((channel) => (channel.id === id ? { ...channel, ...change } : channel));
      const changed = channels.find((channel) => channel.id === id);
      if (there && changed !== undefined) tell({ type: "state", ...changed });
    },
    takeBack(messages) {
      stored = stored.filter((message) => !messages.includes(message.row));
      if (there) tell({ type: "gone", messages });
    },
    picture(message, news) {
      stored = stored.map((one) => (one.row === message ? { ...one, ...news } : one));
      const { app = null, picture, icon } = stored.find((one) => one.row === message) ?? {};
      if (there) tell({ type: "pictures", message, app, ...(picture && { picture }), ...(icon && { icon }) });
    },
    unheard(happens) {
      const told = tell;
      tell = () => {};
      happens();
      tell = told;
    },
    repaint(name, message) {
      repainted.add(name);
      agent.picture(message, {});
    },
    readElsewhere(messages) {
      for (const message of stored) if (messages.includes(message.row)) message.unread = false;
      if (there) tell({ type: "read", messages });
    },
    raise: (message) => tell({ type: "raise", activation_token: null, add: null, message }),
    leave(message) {
      there = false;
      tell({ type: "agent_gone", message });
    },
  };

  /** @param {string} id */
  function connect(id) {
    const refused = scenario.refused && !file.report().channels.some((channel) => channel.id === id && channel.has_secret);
    agent.change(id, { state: "connecting", since: now(), attempt: 1, cause: null, retry_at: null });
    setTimeout(() => {
      if (refused) agent.change(id, { state: "needs_user", since: now(), attempt: 0, cause: "sign-in refused (401)" });
      else agent.change(id, { state: "connected", since: now(), attempt: 0, cause: null });
    }, SOON);
  }

  const file = settingsFile(scenario, {
    changed(values) {
      if (values.language !== undefined) language = values.language === "zh-CN" ? "zh-CN" : "en";
      theme = values.theme ?? "auto";
      snapshot();
    },
    added({ id, values }) {
      channels = [...channels, channelOf(values.name ?? id, { id, url: values.url, state: "connecting", since: now() })];
      snapshot();
      connect(id);
    },
    edited({ id, values }) {
      channels = channels.map((channel) => (channel.id === id ? { ...channel, name: values.name ?? channel.name, url: values.url } : channel));
      snapshot();
    },
    removed(id) {
      channels = channels.filter((channel) => channel.id !== id);
      snapshot();
    },
  });

  function restart() {
    if (there) agent.leave("The agent is restarting.");
    version = VERSION;
    setTimeout(() => {
      there = true;
      greet();
    }, SOON);
  }

  function startDemo() {
    if (channels.some((channel) => channel.demo)) return;
    channels = [...channels, channelOf("Demo", { demo: true, url: "ws://127.0.0.1:41233/ws/user-channel", state: "connecting", since: now() })];
    snapshot();
    connect("demo");
    setTimeout(() => agent.receive(messageOf("Hello from the demo", "This is how a message looks.", { channel: "Demo", unread: true })), SOON * 2);
  }

  /** @returns {PageError} */
  const gone = () => ({ code: "agent_gone", message: "The agent is not running.", key: null });

  /** @param {PageCommand} command */
  function done(command) {
    switch (command.do) {
      case "restart_agent":
        return restart();
      case "quit":
        return agent.leave("Tidings has ended.");
      case "mark_read":
        for (const message of stored) if (command.messages.includes(message.row)) message.unread = false;
        return count();
      case "mark_all_read": {
        const name = channels.find((channel) => channel.id === command.channel)?.name;
        for (const message of stored) if (name === undefined || message.channel === name) message.unread = false;
        return snapshot();
      }
      case "delete":
        stored = stored.filter((message) => !command.messages.includes(message.row));
        return snapshot();
      case "pause":
        paused = command.until;
        return snapshot();
      case "set_secret":
        file.setSecret(command.channel, command.secret !== null);
        if (command.secret !== null) connect(command.channel);
        return snapshot();
      case "send": {
        const by = channels.find(({ id }) => id === command.channel);
        sent += 1;
        if (scenario.refusesSend !== undefined && sent > 1) throw scenario.refusesSend;
        const { text, title, topic, priority } = command;
        const from = topic === null ? {} : { topic };
        return agent.receive(messageOf(title ?? topic ?? by?.name ?? "", text, { channel: by?.name, priority: priority ?? 3, unread: true, ...from }));
      }
      case "start_demo":
        return startDemo();
      case "end_demo":
        channels = channels.filter((channel) => !channel.demo);
        return snapshot();
      case "open_link": {
        const message = stored.find(({ row }) => row === command.message);
        const url = command.link === undefined ? message?.url : message?.rich?.links[command.link];
        if (url) window.open(url, "_blank", "noopener");
        return undefined;
      }
      case "run_action": {
        const action = stored.find((message) => message.row === command.message)?.actions?.[command.action];
        if (action?.does === "open") window.open(action.url, "_blank", "noopener");
        return undefined;
      }
      case "open_file": {
        const file = stored.find((message) => message.row === command.message)?.attachments?.[command.file];
        if (file) window.open(file.url, "_blank", "noopener");
        return undefined;
      }
      case "channel":
        for (const { id, state } of channels) {
          if (command.channel !== null && command.channel !== id) continue;
          if (command.action === "disconnect") agent.change(id, { state: "disconnected", since: now(), cause: null, retry_at: null });
          else if (command.channel !== null || state === "disconnected") connect(id);
        }
    }
  }

  /** @param {import("../api").HistoryQuery} query */
  function history({ before, limit, search, channel, unread }) {
    const name = channels.find((one) => one.id === channel)?.name;
    const terms = search === null ? [] : folded(search).split(/\s+/);
    const answer = [];
    let length = 0;
    for (let place = stored.length - 1; place >= 0 && answer.length < limit; place -= 1) {
      const message = /** @type {StoredMessage} */ (stored[place]);
      if (before !== null && message.row >= before) continue;
      if ((channel !== null && message.channel !== name) || (unread && !message.unread)) continue;
      const text = terms.length === 0 ? "" : folded(`${message.title}\n${message.body}\n${message.channel}`);
      if (!terms.every((term) => text.includes(term))) continue;
      length += message.body.length + JSON.stringify(message.raw).length;
      if (answer.length > 0 && length > LONGEST_ANSWER) break;
      answer.push({ ...message });
    }
    return answer;
  }

  return {
    async subscribe(onEvent) {
      tell = onEvent;
      if (there) greet();
      else tell({ type: "agent_gone", message: scenario.gone ?? "" });
      plays?.(agent);
    },
    async act(command) {
      if (command.do === "restart_agent") return restart();
      if (!there) throw gone();
      if (refuses !== undefined) throw refuses;
      // A server takes its time.
      if (command.do === "send") await new Promise((ready) => setTimeout(ready, STEP));
      done(command);
    },
    async history(query) {
      if (!there) throw gone();
      const answer = history(query);
      if (scenario.slow) await new Promise((ready) => setTimeout(ready, SOON));
      return answer;
    },
    async diagnostics() {
      if (!there) throw gone();
      return `Tidings ${version}\n${channels.map((channel) => `${channel.name}: ${channel.state}`).join("\n")}\n`;
    },
    async settings() {
      if (!there) throw gone();
      return file.report();
    },
    async editSettings(revision, edits) {
      if (!there) throw gone();
      return file.edit(revision, edits);
    },
    async test({ values, secret }, onStep) {
      if (!there) throw gone();
      if (!/^(wss?|https?):\/\/./.test(values.url ?? "")) throw /** @type {PageError} */ ({ code: "invalid_settings", message: "`url` is not a WebSocket address", key: "url" });
      for (const step of steps(String(values.url), language === "zh-CN", scenario.refused === true && secret === null)) {
        await new Promise((ready) => setTimeout(ready, STEP));
        onStep(step);
      }
    },
    async preview({ channel, values, text }) {
      if (!there) throw gone();
      const name = channels.find((one) => one.id === channel)?.name ?? values.name ?? "Orders";
      const last = channel === null ? undefined : stored.findLast((message) => message.channel === name)?.raw;
      if (values.kind === "dialogue") return rehearsalOf(values, name, text ?? "");
      const sample = text ?? (typeof last === "string" ? last : undefined);
      if (sample === undefined) throw /** @type {PageError} */ ({ code: "no_sample", message: "The channel has received no message yet.", key: null });
      return previewOf(values, name, sample);
    },
    async discover({ address }) {
      if (!there) throw gone();
      await new Promise((ready) => setTimeout(ready, STEP));
      return discoveryOf(address, language === "zh-CN");
    },
    async health(id) {
      if (!there) throw gone();
      const channel = channels.find((one) => one.id === id);
      if (channel === undefined) throw /** @type {PageError} */ ({ code: "unknown_channel", message: "There is no such channel.", key: null });
      return healthOf(channel, language);
    },
    async picture(name) {
      if (!there) throw gone();
      return pictureOf(name, repainted.has(name));
    },
    zoom: null,
  };
}

/** What would be found: ntfy at hosts that are called so, a WebSocket where the path says so, a web page anywhere else.
 * @param {string} address @param {boolean} chinese
 * @returns {import("../api").Discovery} */
function discoveryOf(address, chinese) {
  const [, scheme = "https", rest = ""] = /^(?:(\w+):\/\/)?(.*)$/.exec(address.trim()) ?? [];
  if (!/^(https?|wss?|ntfy|mqtts?)$/.test(scheme)) throw /** @type {PageError} */ ({ code: "invalid_settings", message: "`url` is not a WebSocket address", key: "url" });
  const [host = "", topic = ""] = rest.split("/");
  if (scheme.startsWith("mqtt")) {
    const mend = chinese ? "请在 `topics` 中写明要接收的主题" : "name the topics to listen to, in `topics`";
    return { address, found: "mqtt", version: null, detail: chinese ? "这是 MQTT 服务器" : "this is an MQTT broker", mend, channel: { kind: "mqtt", url: `${scheme}://${host}` } };
  }
  const shown = `https://${host}${topic === "" ? "" : `/${topic}`}`;
  if (scheme === "ntfy" || host.startsWith("ntfy")) {
    const base = { kind: "ntfy", url: `https://${host}` };
    const channel = topic === "" ? base : { ...base, name: topic, topics: [topic] };
    const mend = topic !== "" ? null : chinese ? "请在 `topics` 中写明要监听的主题" : "name the topics to listen to, in `topics`";
    return { address: shown, found: "ntfy", version: null, detail: chinese ? "这是 ntfy" : "this is ntfy", mend, channel };
  }
  if (/\/ws\b/.test(rest)) {
    return { address: shown, found: "websocket", version: null, detail: chinese ? "这是 WebSocket" : "this is a WebSocket", mend: null, channel: { url: `wss://${rest}` } };
  }
  const detail = chinese ? "该处应答的是网页，没有可以监听的内容" : "a web page answers there, and nothing that can be listened to";
  const mend = chinese ? "请向服务器管理员索取其 WebSocket 地址，以 wss:// 开头" : "ask who runs the server for the address of its WebSocket, which begins with wss://";
  return { address: shown, found: null, version: null, detail, mend, channel: null };
}

/** @param {string} url @param {boolean} chinese @param {boolean} refused
 * @returns {Step[]} */
function steps(url, chinese, refused) {
  const host = url.replace(/^\w+:\/\//, "").split("/")[0] ?? "";
  /** @param {string} step @param {number | null} ms @param {string} detail
   * @returns {Step} */
  const good = (step, ms, detail) => ({ step, ok: true, ms, detail, mend: null });
  const start = [
    good("name", 4.2, chinese ? `${host} 解析为 203.0.113.7` : `${host} is 203.0.113.7`),
    good("tcp", 11.8, "203.0.113.7:443"),
    good("tls", 24.1, chinese ? "TLS 1.3，证书有效期还有 64 天" : "TLS 1.3, certificate by Example Trust, 64 days left"),
  ];
  if (refused) {
    return [...start, { step: "upgrade", ok: false, ms: 18.3, detail: "sign-in refused (401)", mend: "Enter the token that the server gave you, or ask for a new one." }];
  }
  return [...start, good("upgrade", 18.3, "101 Switching Protocols"), good("ping", 22.9, chinese ? "已应答" : "answered")];
}
