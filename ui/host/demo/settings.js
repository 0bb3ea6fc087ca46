// The second host's settings file: a make-believe one in memory, with a few of the agent's checks.

import { at, put } from "../../base/values.js";

/** @typedef {import("../api").SettingsReport} SettingsReport */
/** @typedef {import("../api").ChannelValues} ChannelValues */
/** @typedef {import("../api").Edit} Edit */
/** @typedef {import("../api").PageError} PageError */
/** @typedef {import("../api").Preview} Preview */

const DEFAULTS = {
  values: {
    language: "auto", theme: "auto", start_at_login: false,
    notifications: { burst: 5, refill: "2s", down_after: "10m", quiet_hours: [], critical_breaks_quiet: true },
    inbox: { keep_days: 90, keep_messages: 100000 },
  },
  channel: {
    enabled: true, allow_plaintext: false, auth: "bearer", kind: "recipe", show: "full", format: "plain", images: "never", headers: {}, quiet_close_codes: [4500],
    take_back_after: "never", ignore: ["HeartBeat", "ping", "pong", ""],
    heartbeat: { text: "HeartBeat", interval: "60s", proxy_timeout: "90s" },
    liveness: { ping_after: "20s", deadline: "15s" }, backoff: { first: "3s", cap: "60s" }, mapping: {}, rule: [],
  },
};

/** @type {import("../api").PresetReport[]} */
const PRESETS = [
  { name: "graphql-transport-ws", needs: { query: "subscription { notification { id title body } }" }, may: {}, says_secret: true },
  { name: "phoenix", needs: { topic: "user:42" }, may: {}, says_secret: false },
  { name: "signalr", needs: {}, may: {}, says_secret: false },
  { name: "socket.io", needs: {}, may: { namespace: "/" }, says_secret: true },
  { name: "stomp", needs: { destination: "/user/queue/notifications" }, may: { host: "/" }, says_secret: true },
];

/** @param {string} key @param {string} message
 * @returns {PageError} */
const invalid = (key, message) => ({ code: "invalid_settings", message, key });

/** @param {unknown} text In milliseconds; `NaN`: no duration. */
function duration(text) {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text));
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[found?.[2] ?? ""] ?? NaN;
  return Number(found?.[1] ?? NaN) * unit;
}

/** @param {Record<string, any>} values */
function checkFile(values) {
  const burst = at(values, "notifications.burst") ?? 5;
  if (!(Number.isInteger(burst) && burst >= 1 && burst <= 1000)) throw invalid("notifications.burst", "`burst` must be a whole number from 1 to 1000");
  for (const key of ["notifications.refill", "notifications.down_after"]) {
    const value = at(values, key);
    if (value !== undefined && !(duration(value) > 0)) throw invalid(key, `“${value}” is not a duration: write it with a unit, such as "2s"`);
  }
  for (const key of ["inbox.keep_days", "inbox.keep_messages"]) {
    const value = at(values, key);
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) throw invalid(key, "write a whole number of at least 1");
  }
  for (const { from, to } of at(values, "notifications.quiet_hours") ?? []) {
    if (from === to) throw invalid("notifications.quiet_hours", "`to` is the same as `from`: for a whole day write 00:00 to 23:59");
  }
}

/** @param {Record<string, any>} values */
function checkChannel(values) {
  const url = String(values.url ?? "");
  const base = ["ntfy", "gotify"].includes(values.kind);
  const forms = base ? /^(https?|wss?):\/\/[^/\s]+/ : values.kind === "mqtt" ? /^(mqtts?|wss?):\/\/[^/\s]+/ : /^wss?:\/\/[^/\s]+/;
  if (!forms.test(url)) throw invalid("url", "`url` is not a WebSocket address: write it as \"wss://host/path\"");
  const local = /^(ws|mqtt):\/\/(127\.|localhost|\[::1\])/.test(url);
  if (/^(ws|mqtt):/.test(url) && !local && values.allow_plaintext !== true) {
    throw invalid("url", "`url` would send everything unencrypted: write wss://, or allow an unencrypted connection");
  }
  for (const key of ["heartbeat.interval", "heartbeat.proxy_timeout", "liveness.ping_after", "liveness.deadline", "backoff.first", "backoff.cap"]) {
    const value = at(values, key);
    if (value !== undefined && Number.isNaN(duration(value))) throw invalid(key, `“${value}” is not a duration: write it with a unit, such as "60s"`);
  }
  const [interval, timeout] = [at(values, "heartbeat.interval") ?? "60s", at(values, "heartbeat.proxy_timeout") ?? "90s"];
  if (duration(interval) > duration(timeout) * 2 / 3) {
    throw invalid("heartbeat.interval", `\`interval\` (${interval}) is above two thirds of \`proxy_timeout\` (${timeout})`);
  }
  for (const name of Object.keys(values.headers ?? {})) {
    if (/authorization|token|secret/i.test(name)) throw invalid("headers", `the header \`${name}\` usually holds a secret: sign in with \`auth\` instead`);
  }
  if (values.auth === "basic" && !values.username) throw invalid("username", "`auth` is basic, but there is no `username`");
  for (const key of values.oauth === undefined ? [] : ["issuer", "client_id"]) {
    if (!values.oauth[key]) throw invalid(`oauth.${key}`, `[channel.oauth] needs \`${key}\``);
  }
  if (values.kind === "ntfy" && !values.topics?.length) throw invalid("topics", "`topics` is missing: add topics = [\"…\"]");
  if (values.kind === "mqtt") checkTopics(values.topics ?? []);
  checkReading(values);
}

/** @param {any[]} topics */
function checkTopics(topics) {
  if (topics.length === 0) throw invalid("topics", "`topics` is missing: add topics = [\"…\"]");
  for (const topic of topics) {
    const filter = String(topic.filter ?? topic);
    if (/#./.test(filter) || /[^/]#/.test(filter)) throw invalid("topics", "in a topic filter `#` stands at the end and alone between slashes: write for example \"home/#\"");
  }
}

/** @param {Record<string, any>} values */
function checkDialogue({ preset, dialogue }) {
  if (!preset && !dialogue) throw invalid("preset", "a dialogue needs a `preset` or a table `[channel.dialogue]`: add preset = \"…\"");
  for (const name of Object.keys(PRESETS.find((one) => one.name === preset)?.needs ?? {})) {
    if (!at(dialogue ?? {}, `set.${name}`)) throw invalid(`dialogue.set.${name}`, `\`${preset}\` needs \`${name}\`: give it a value`);
  }
  /** @param {string} key @param {unknown} text */
  const template = (key, text) => {
    if (String(text ?? "").split("{{").length !== String(text ?? "").split("}}").length) throw invalid(key, "this template has a mistake: a bracket is not closed. Write it as '{\"token\":{{ secret|tojson }}}'");
  };
  (dialogue?.greet ?? []).forEach((/** @type {string} */ text, /** @type {number} */ place) => template(`dialogue.greet[${place}]`, text));
  (dialogue?.on ?? []).forEach((/** @type {any} */ rule, /** @type {number} */ place) => {
    if (!rule.when) throw invalid(`dialogue.on[${place}].when`, "this rule has no `when`: say which frames it is about");
    if (/[^=!<>]=[^=]/.test(rule.when)) throw invalid(`dialogue.on[${place}].when`, "`when` has a mistake: `=` compares nothing. Write it as \"json.type == 'ping'\"");
    template(`dialogue.on[${place}].say`, rule.say);
    if (rule.post && !rule.post.url) throw invalid(`dialogue.on[${place}].post`, "`post` needs `url` and `form`");
    if (/\{\{.*\bjson\b/.test(rule.post?.url ?? "")) throw invalid(`dialogue.on[${place}].post.url`, "`url` may know the names of `set` alone: what the server sends must not say where the sign-in goes");
    for (const [name, text] of Object.entries(rule.post?.form ?? {})) template(`dialogue.on[${place}].post.form.${name}`, text);
  });
}

/** @param {Record<string, any>} values */
function checkReading(values) {
  if (values.kind === "dialogue") checkDialogue(values);
  for (const [name, source] of Object.entries(values.mapping ?? {})) {
    if (!String(source).startsWith("/") && !String(source).includes("{{")) {
      throw invalid(`mapping.${name}`, `\`${name}\` is neither a JSON Pointer nor a template: write it as "/payload/subject" or "{{ payload.subject }}"`);
    }
  }
  for (const { when } of values.rule ?? []) {
    if (String(when ?? "").split("(").length !== String(when ?? "").split(")").length) throw invalid("rule", "`when` has a mistake: a bracket is not closed");
  }
}

/** @param {string} url */
const hostOf = (url) => url.replace(/^\w+:\/\//, "").split(/[/:?]/)[0] ?? "";
/** @param {string} name */
const slug = (name) => name.toLowerCase().replaceAll(/[^\p{L}\p{N}._]+/gu, "-").replaceAll(/^-+|-+$/g, "");

/** @param {import("./scenarios.js").Scenario} scenario
 * @param {object} agent
 * @param {(values: Record<string, any>) => void} agent.changed The file's own values are others.
 * @param {(channel: ChannelValues) => void} agent.added
 * @param {(channel: ChannelValues) => void} agent.edited
 * @param {(id: string) => void} agent.removed */
export function settingsFile(scenario, agent) {
  let revision = 1;
  let conflict = scenario.conflict ?? false;
  /** @type {Record<string, any>} */
  let values = { notifications: { quiet_hours: [{ days: "mon-fri", from: "22:00", to: "07:00" }] } };
  /** @type {ChannelValues[]} */
  let channels = scenario.channels.filter((channel) => !channel.demo).map(({ id, name, url }, place) => ({
    id,
    values: scenario.settings?.[id] ? { id, name, url, ...scenario.settings[id] } : place === 1 ? { id, name, url, token_command: "pass show build/token" } : { id, name, url },
    has_secret: place === 0,
  }));

  /** @returns {SettingsReport} */
  const report = () => ({
    revision: String(revision),
    file: "/home/ann/.config/tidings/config.toml",
    error: scenario.broken ?? null,
    values: scenario.broken ? {} : structuredClone(values),
    channels: scenario.broken ? [] : structuredClone(channels),
    defaults: DEFAULTS,
    keyring: !scenario.noKeyring,
    login_trouble: null,
    presets: PRESETS,
  });

  /** @param {string} id */
  const known = (id) => channels.find((channel) => channel.id === id);

  return {
    report,
    /** @param {string} id @param {boolean} has */
    setSecret(id, has) {
      if (scenario.noKeyring) throw /** @type {PageError} */ ({ code: "keyring", message: "There is no keyring on this desktop.", key: null });
      channels = channels.map((channel) => (channel.id === id ? { ...channel, has_secret: has } : channel));
    },
    /** @param {string} from @param {Edit[]} edits */
    edit(from, edits) {
      if (conflict) {
        conflict = false;
        const [first] = channels;
        if (first !== undefined) first.values.name = "Orders (edited by hand)";
        revision += 1;
      }
      if (from !== String(revision)) throw /** @type {PageError} */ ({ code: "settings_changed", message: "The settings file was changed meanwhile.", key: null });
      const before = { values: structuredClone(values), channels: structuredClone(channels) };
      /** @type {(() => void)[]} */
      const after = [];
      try {
        for (const edit of edits) after.push(apply(edit));
        // As all of the edits leave it.
        for (const edit of edits) {
          const channel = edit.edit === "set" && edit.channel !== null ? known(edit.channel) : undefined;
          if (channel !== undefined) checkChannel(channel.values);
        }
      } catch (error) {
        ({ values, channels } = before);
        throw error;
      }
      revision += 1;
      for (const tell of after) tell();
      return report();
    },
  };

  /** @param {Edit} edit
   * @returns {() => void} */
  function apply(edit) {
    switch (edit.edit) {
      case "set": {
        const value = edit.value === null ? undefined : edit.value;
        if (edit.channel === null) {
          put(values, edit.key, value);
          checkFile(values);
          return () => agent.changed(values);
        }
        const channel = known(edit.channel);
        if (channel === undefined) throw /** @type {PageError} */ ({ code: "unknown_channel", message: "There is no such channel.", key: null });
        put(channel.values, edit.key, value);
        return () => agent.edited(channel);
      }
      case "add_channel": {
        checkChannel(edit.values);
        const id = edit.values.id ?? slug(edit.values.name ?? hostOf(edit.values.url));
        if (known(id) !== undefined) throw invalid("id", `a second channel with the id \`${id}\``);
        const channel = { id, values: structuredClone(edit.values), has_secret: edit.secret !== null };
        channels.push(channel);
        return () => agent.added(channel);
      }
      case "remove_channel":
        channels = channels.filter((channel) => channel.id !== edit.channel);
        return () => agent.removed(edit.channel);
    }
  }
}

/** How a sample would be read.
 * @param {Record<string, any>} values @param {string} channel @param {string} sample
 * @returns {Preview} */
export function previewOf(values, channel, sample) {
  checkReading(values);
  /** @type {any} */
  let json = null;
  try {
    json = JSON.parse(sample);
  } catch {
    // A text as it is.
  }
  const object = typeof json === "object" && json !== null && !Array.isArray(json);
  /** @param {string} field @param {...string} usual */
  const found = (field, ...usual) => {
    if (!object) return undefined;
    const source = String(at(values, `mapping.${field}`) ?? "");
    if (source.startsWith("/")) return source.slice(1).split("/").reduce((part, key) => part?.[key], json) ?? first(usual);
    if (source.includes("{{")) return source.replaceAll(/\{\{\s*([\w.]+)\s*\}\}/g, (_, path) => String(at(json, path) ?? ""));
    return first(usual);
  };
  /** @param {string[]} names */
  const first = (names) => names.map((name) => json[name]).find((value) => value !== undefined);
  const priority = Number(found("priority", "priority", "level") ?? 3);
  const message = {
    channel, id: found("id", "id") ?? null, title: String(found("title", "title", "subject", "summary") ?? channel),
    body: String(found("body", "body", "message", "text") ?? (object ? "" : sample)), priority: Number.isInteger(priority) ? priority : 3,
    url: found("url", "url", "link") ?? null, received_at: new Date().toISOString(), raw: sample,
  };
  const ignore = values.ignore ?? DEFAULTS.channel.ignore;
  const noise = ignore.includes(sample) || isTrue(String(values.ignore_when ?? "false"), json);
  const store = (values.rule ?? []).some((/** @type {any} */ rule) => rule.then === "store" && !rule.when);
  return { message, popup: !store, ignored: noise, sample };
}

/** What a dialogue makes of frames: its own rules, by comparisons alone.
 * @param {Record<string, any>} values @param {string} channel @param {string} sample
 * @returns {import("../api").Rehearsal} */
export function rehearsalOf(values, channel, sample) {
  checkReading(values);
  const { greet = [], on = [] } = values.dialogue ?? {};
  let counter = 0;
  /** @param {string} text */
  const said = (text) => text
    .replaceAll(/\{\{\s*n\s*\}\}/g, () => String((counter += 1)))
    .replaceAll(/\{\{\s*secret\s*\|\s*tojson\s*\}\}/g, '"***"').replaceAll(/\{\{\s*secret\s*\}\}/g, "***");
  /** @param {{ url: string, form: Record<string, string> } | undefined} post @param {unknown} json */
  const posted = (post, json) => (post === undefined ? [] : [[`POST ${post.url}`, ...Object.entries(post.form).map(([name, text]) => (
    `${name}=${said(text).replaceAll(/\{\{\s*json\.([\w.]+)\s*\}\}/g, (_, path) => String(at(/** @type {any} */ (json), path)))}`))].join("\n")]);
  /** @type {import("../api").Meaning[]} */
  const waits = on.some((/** @type {any} */ rule) => rule.connected) ? ["subscribe"] : ["connected"];
  /** @type {import("../api").Turn[]} */
  const turns = [{ heard: null, said: greet.map(said), unsaid: 0, messages: [], means: waits, refused: null }];
  for (const heard of sample.split("\n").filter((line) => line.trim() !== "")) {
    /** @type {any} */
    let json = null;
    try {
      json = JSON.parse(heard);
    } catch {
      // A text as it is.
    }
    const rule = on.find((/** @type {any} */ one) => isTrue(String(one.when), json));
    /** @type {import("../api").Meaning[]} */
    const means = [];
    if (rule?.connected) means.push("connected");
    if (rule?.refused) means.push("refused");
    const found = rule?.message === undefined ? undefined : rule.message.split("/").slice(1).reduce((/** @type {any} */ part, /** @type {string} */ key) => part?.[key], json) ?? json;
    const texts = rule === undefined ? [heard] : found === undefined ? [] : [JSON.stringify(found)];
    if (rule !== undefined && !rule.say && !rule.post && texts.length === 0 && means.length === 0) means.push("noise");
    const messages = texts.map((text) => previewOf({ ...values, kind: "recipe" }, channel, text));
    turns.push({ heard, said: [...rule?.say ? [said(rule.say)] : [], ...posted(rule?.post, json)], unsaid: 0, messages, means, refused: rule?.refused ?? null });
  }
  return { turns };
}

/** Whether an expression is true of a message. The demo compares, and says so where it is asked for more: what it
 * can't tell it must not show.
 * @param {string} expression @param {unknown} json */
function isTrue(expression, json) {
  /** @param {string} term */
  const holds = (term) => {
    if (term === "false" || term === "") return false;
    const [, path, operator, value] = /^json\.([\w.]+) *(==|!=) *('[^']*'|"[^"]*"|-?\d+|true|false)$/.exec(term) ?? [];
    if (path === undefined || value === undefined) {
      throw { message: "This demo reads comparisons alone in ignore_when, such as json.type == 'ping'. Tidings reads all expressions." };
    }
    const wanted = value.startsWith("'") ? value.slice(1, -1) : JSON.parse(value);
    return (path.split(".").reduce((/** @type {any} */ part, key) => part?.[key], json) === wanted) === (operator === "==");
  };
  /** @param {string} text @param {string} word */
  const split = (text, word) => text.split(new RegExp(` +${word} +`)).map((part) => part.trim());
  return split(expression, "or").map((any) => split(any, "and").map(holds).every(Boolean)).some(Boolean);
}

