// What is spoken with a channel's server: its kind, and what belongs to one kind alone.

import { make } from "../base/dom.js";
import { at } from "../base/values.js";
import { choiceField, linesField, rowsField, small, textField } from "../forms/fields.js";
import { words } from "../words/words.js";

/** @typedef {import("../forms/fields.js").Field} Field */
/** @typedef {import("../base/values.js").Values} Values */
/** @typedef {import("../host/api").PresetReport} PresetReport */

/** Keys of a channel that a kind has no use for: the settings file may not hold them then.
 * @type {Record<string, string[]>} */
const FOREIGN = {
  recipe: ["topics", "preset", "dialogue", "send_app", "app_icons", "client_id", "session_expiry"],
  ntfy: ["carrier", "preset", "dialogue", "resume", "mapping", "send_url", "send_app", "app_icons", "client_id", "session_expiry"],
  gotify: ["carrier", "topics", "preset", "dialogue", "resume", "mapping", "send_url", "client_id", "session_expiry"],
  dialogue: ["topics", "resume", "heartbeat", "send_app", "app_icons", "client_id", "session_expiry"],
  sse: ["carrier", "topics", "preset", "dialogue", "resume", "heartbeat", "liveness", "quiet_close_codes", "take_back_after", "send_app", "app_icons", "client_id", "session_expiry"],
  mqtt: ["carrier", "preset", "dialogue", "resume", "heartbeat", "quiet_close_codes", "send_url", "send_token_command", "send_token_file", "send_token_env", "send_app", "app_icons"],
};
/** … and those that go with HTTP, which a broker's own address doesn't speak. */
const OF_HTTP = ["headers", "images"];

/** The address that a kind wants, as an example.
 * @type {Record<string, string>} */
export const EXAMPLES = {
  recipe: "wss://shop.example/ws/user-channel", ntfy: "https://ntfy.example", gotify: "https://push.example/gotify",
  dialogue: "wss://app.example/socket", sse: "https://shop.example/events", mqtt: "mqtts://broker.example",
};

/** Protocols by their own names.
 * @type {Record<string, string>} */
const NAMES = {
  "action-cable": "Action Cable (Rails)", "centrifugo": "Centrifugo", "graphql-transport-ws": "GraphQL (graphql-transport-ws)",
  "home-assistant": "Home Assistant", "mattermost": "Mattermost", "phoenix": "Phoenix channels",
  "pusher": "Pusher (Laravel Reverb, Soketi)", "signalr": "SignalR", "socket.io": "Socket.IO 4", "stomp": "STOMP (Spring, RabbitMQ, ActiveMQ)",
};

/** @param {Values} values */
export const kindOf = (values) => (at(values, "kind") in FOREIGN ? String(at(values, "kind")) : "recipe");

/** Whether the address itself says that it is an MQTT broker's.
 * @param {Values} values */
export const isBroker = (values) => /^mqtts?:/i.test(String(at(values, "url") ?? ""));

/** Whether a text of the channel's dialogue says the secret: without that it goes with the request.
 * @param {Values} values @param {PresetReport[]} presets */
export function saysSecret(values, presets) {
  const { greet, on, beat } = at(values, "dialogue") ?? {};
  const preset = presets.find(({ name }) => name === at(values, "preset"));
  return preset?.says_secret === true || /\bsecret\b/.test(JSON.stringify([greet, on, beat]));
}

/** The values without those of other kinds, which stay in the editor in case one comes back to them.
 * @param {Values} values
 * @returns {Values} */
export function fitting(values) {
  const foreign = [...FOREIGN[kindOf(values)] ?? [], ...(isBroker(values) ? OF_HTTP : [])];
  return Object.fromEntries(Object.entries(values).filter(([key]) => !foreign.includes(key)));
}

/** Where nothing is said, an empty choice is no value.
 * @param {Field} field
 * @returns {Field} */
const orNothing = (field) => ({ ...field, read: () => field.read() || undefined });

/** @param {PresetReport[]} presets */
export function kindFields(presets) {
  const kind = choiceField("kind", words.kind, [
    ["recipe", words.kindRecipe], ["ntfy", words.kindNtfy], ["gotify", words.kindGotify], ["dialogue", words.kindDialogue],
    ["sse", words.kindSse], ["mqtt", words.kindMqtt],
  ], words.kindHint);
  const topics = topicsField();
  const preset = orNothing(choiceField("preset", words.preset, [
    ["", words.presetNone], ...presets.map(({ name }) => /** @type {[string, string]} */ ([name, NAMES[name] ?? name])),
  ], words.presetHint));
  const set = setField(presets);
  const framing = orNothing(choiceField("dialogue.framing", words.framing, [
    ["", words.framingDefault], ["text", words.framingText], ["lines", words.framingLines], ["records", words.framingRecords],
    ["stomp", words.framingStomp], ["socket.io", words.framingSocketIo],
  ]));
  const subprotocol = textField("dialogue.subprotocol", words.subprotocol, { kind: "code", hint: words.subprotocolHint, placeholder: "v12.stomp" });
  const dialogue = [greetField(), onField(), beatField(), subprotocol, framing, backlogField()];
  return { kind, topics, preset, set, dialogue };
}

/** ntfy's topics are names, one a line; a broker's are filters, each with how surely its messages come.
 * @returns {Field} */
function topicsField() {
  const names = linesField("topics", words.topics, { hint: words.topicsHint });
  const filters = filtersField();
  const element = make("div", {});
  element.dataset.key = "topics";
  for (const one of [names, filters]) delete one.element.dataset.key;
  let now = names;
  return {
    key: "topics", element,
    show(values, defaults) {
      now = kindOf(values) === "mqtt" ? filters : names;
      element.replaceChildren(now.element);
      const topics = at(values, "topics");
      const filter = (/** @type {any} */ topic) => topic?.filter ?? topic;
      now.show(now === names && Array.isArray(topics) ? { topics: topics.map(filter) } : values, defaults);
    },
    read: () => now.read(),
    fail: (problem, key) => now.fail(problem, key),
    focus: () => now.focus(),
  };
}

/** @returns {Field} */
function filtersField() {
  const usual = "1";
  return rowsField("topics", words.topics, {
    hint: words.filtersHint, add: words.addFilter, remove: words.remove,
    fresh: () => /** @type {any} */ (""),
    row(item) {
      const filter = line(String(item?.filter ?? item), "home/#");
      const qos = make("select", {}, ...[["0", words.qosNone], [usual, words.qosEach], ["2", words.qosOnce]].map(([value = "", text = ""]) => make("option", { value }, text)));
      qos.value = String(item?.qos ?? usual);
      const element = make("div", { className: "row" }, small(words.topicFilter, filter), small(words.qos, qos));
      return {
        element, controls: { filter },
        read() {
          const text = filter.value.trim();
          if (typeof item === "string" && qos.value === usual) return text;
          return qos.value === usual && item.qos === undefined ? { filter: text } : { filter: text, qos: Number(qos.value) };
        },
      };
    },
    items: (value) => value ?? [""],
    value(items) {
      const named = items.filter((item) => (item.filter ?? item) !== "");
      return named.length === 0 ? undefined : named;
    },
  });
}

/** The values that a preset knows by name, and those that the channel's own texts and rules know.
 * @param {PresetReport[]} presets
 * @returns {Field} */
function setField(presets) {
  let preset = "";
  return rowsField("dialogue.set", words.set, {
    hint: words.setHint, add: words.addSet, remove: words.remove,
    fresh: () => ({ name: "", value: "", known: false, needed: false, usual: "" }),
    row(item) {
      const value = make("input", { type: "text", value: item.value, spellcheck: false, className: "code", placeholder: item.usual });
      if (!item.known) {
        const name = line(item.name, "room");
        const element = make("div", { className: "row" }, small(words.headerName, name), small(words.headerValue, value));
        return {
          element, read: () => ({ ...item, name: name.value.trim(), value: value.value.trim() }),
          get controls() {
            return { [name.value.trim()]: value };
          },
        };
      }
      const label = item.needed ? `${item.name} (${words.setNeeded})` : item.name;
      const element = make("div", { className: "row" }, small(label, value));
      return { element, stays: true, controls: { [item.name]: value }, read: () => ({ ...item, value: value.value.trim() }) };
    },
    items(told) {
      const { set = {}, name = preset } = told ?? {};
      preset = name;
      const { needs = {}, may = {} } = presets.find((one) => one.name === preset) ?? {};
      const all = new Set([...Object.keys(needs), ...Object.keys(may), ...Object.keys(set)]);
      return [...all].map((name) => ({
        name, value: String(set[name] ?? ""), known: name in needs || name in may, needed: name in needs, usual: needs[name] ?? may[name] ?? "",
      }));
    },
    value(items) {
      const said = items.filter((item) => item.name !== "" && (item.value !== "" || !item.known));
      return said.length === 0 ? undefined : Object.fromEntries(said.map((item) => [item.name, item.value]));
    },
    source: (values) => ({ set: at(values, "dialogue.set"), name: at(values, "preset") ?? "" }),
  });
}

/** @param {string} value @param {string} [placeholder] */
const line = (value, placeholder = "") => make("input", { type: "text", value, spellcheck: false, className: "code", placeholder });
/** Letters that a row of a narrow window's text has place for. */
const LETTERS = 24;
/** A text may have several lines, as STOMP's have.
 * @param {string} value @param {string} [placeholder] */
const lines = (value, placeholder = "") => make("textarea", { value, rows: Math.min(8, Math.max(value.split("\n").length, Math.ceil(value.length / LETTERS))), spellcheck: false, className: "code", placeholder });

/** Names and their texts, one on each line: `name = text`. A line that doesn't begin so belongs to the text above it.
 * @param {Record<string, string> | undefined} values @param {string} placeholder */
function pairs(values, placeholder) {
  const written = Object.entries(values ?? {}).map(([name, text]) => `${name} = ${text}`).join("\n");
  const area = lines(written, placeholder);
  return {
    area,
    /** @returns {Record<string, string> | undefined} */
    read() {
      if (area.value === written) return values;
      /** @type {[string, string][]} */
      const read = [];
      for (const line of area.value.split("\n")) {
        const [, name, text = ""] = /^\s*([^\s={}]+)\s*=\s?(.*)$/.exec(line) ?? [];
        const above = read.at(-1);
        if (name !== undefined) read.push([name, text]);
        else if (above !== undefined) above[1] += `\n${line}`;
        else if (line.trim() !== "") read.push([line.trim(), ""]);
      }
      return read.length === 0 ? undefined : Object.fromEntries(read.map(([name, text]) => [name, text.trimEnd()]));
    },
  };
}

/** @returns {Field} */
function backlogField() {
  const field = orNothing(choiceField("dialogue.backlog", words.backlog, [
    ["", words.backlogDefault], ["true", words.backlogSent], ["false", words.backlogNone],
  ], words.backlogHint));
  return { ...field, read: () => ({ true: true, false: false })[String(field.read())] };
}

/** @returns {Field} */
function greetField() {
  return rowsField("dialogue.greet", words.greet, {
    hint: words.greetHint, add: words.addGreet, remove: words.remove,
    fresh: () => "",
    row(item) {
      const text = lines(item, '{"type":"auth","token":{{ secret|tojson }}}');
      return { element: make("div", { className: "row" }, small(words.greetText, text)), controls: { "": text }, read: () => text.value };
    },
    items: (value) => value ?? [],
    value: (items) => (items.length === 0 ? undefined : items),
  });
}

/** @returns {Field} */
function onField() {
  return rowsField("dialogue.on", words.on, {
    hint: words.onHint, add: words.addOn, remove: words.remove,
    fresh: () => /** @type {Values} */ ({}),
    row(item) {
      // Examples only where nothing stands yet: beside what does they would read like part of it.
      const example = (/** @type {string} */ text) => (Object.keys(item).length === 0 ? text : "");
      const when = line(item.when ?? "", "json.type == 'ping'");
      const say = lines(item.say ?? "", example('{"type":"pong"}'));
      const message = line(item.message ?? "", example("/payload"));
      const refused = line(item.refused ?? "", example("{{ json.message }}"));
      const url = line(String(item.post?.url ?? ""), example("https://app.example/auth"));
      const form = pairs(item.post?.form, example("socket = {{ json.id }}"));
      const keep = pairs(item.keep, example("session = {{ json.session }}"));
      const texts = { when, say, message, refused };
      const checks = Object.entries({
        connected: words.onConnected, signed_in: words.onSignedIn, caught_up: words.onCaughtUp,
        replaced: words.onReplaced, ignore: words.onIgnore, once: words.onOnce,
      }).map(([key, label]) => {
        const box = make("input", { type: "checkbox", checked: item[key] === true });
        return { key, box, label: make("label", { className: "check" }, box, label) };
      });
      const element = make(
        "div", { className: "frame-rule" },
        small(words.onWhen, when), small(words.onSay, say), small(words.onMessage, message), small(words.onRefused, refused),
        make("div", { className: "checks" }, ...checks.map(({ label }) => label)),
        make(
          "details", { className: "sub", open: item.post !== undefined || item.keep !== undefined }, make("summary", {}, make("span", { className: "hint" }, words.onMore)),
          make("div", { className: "frame-more" }, small(words.onPost, url), small(words.onForm, form.area), small(words.onKeep, keep.area)),
        ),
      );
      return {
        element, controls: { ...texts, post: url, "post.form": form.area, keep: keep.area },
        read() {
          const rule = { ...item };
          for (const [key, control] of Object.entries(texts)) {
            const text = key === "say" ? control.value : control.value.trim();
            // An empty message is the whole frame where the file says so.
            if (text === "" && !(key === "message" && item.message === "")) delete rule[key];
            else rule[key] = text;
          }
          for (const { key, box } of checks) {
            if (box.checked) rule[key] = true;
            else if (item[key] !== false) delete rule[key];
          }
          const post = { url: url.value.trim() || undefined, form: form.read() };
          // Without fields it is asked all the same; fields without an address are a mistake that the agent tells of.
          if (post.url === undefined && post.form === undefined) delete rule.post;
          else rule.post = { ...(post.url === undefined ? {} : { url: post.url }), form: post.form ?? {} };
          const kept = keep.read();
          if (kept === undefined) delete rule.keep;
          else rule.keep = kept;
          return rule;
        },
      };
    },
    items: (value) => value ?? [],
    value: (items) => (items.length === 0 ? undefined : items),
  });
}

/** @returns {Field} */
function beatField() {
  return rowsField("dialogue.beat", words.beat, {
    hint: words.beatHint, add: words.addBeat, remove: words.remove, most: 1,
    fresh: () => ({ text: "", interval: "25s" }),
    row(item) {
      const text = lines(String(item.text ?? ""), '{"type":"ping"}');
      const interval = line(String(item.interval ?? ""), "25s");
      return {
        element: make("div", { className: "row" }, small(words.beatText, text), small(words.beatInterval, interval)),
        controls: { text, interval },
        read: () => ({ text: text.value, interval: interval.value.trim() }),
      };
    },
    items: (value) => (value === undefined ? [] : [value]),
    value: (items) => items[0],
  });
}
