// The page that sends a message by a channel. What is typed stays until it is sent, also while another page is looked at and
// when the language changes.

import { anchor, emptyState, foreign, make, pageHead, pressing, shape, write } from "../base/dom.js";
import { shown } from "../base/text.js";
import { areaField, choiceField, textField } from "../forms/fields.js";
import { reason } from "../host/errors.js";
import { editor } from "../parts/channel-row.js";
import { words } from "../words/words.js";

/** @typedef {import("../app").App} App */
/** @typedef {import("../host/api").ChannelReport} ChannelReport */

/** A name, or what the server said, is cut to this many characters. */
const LINE = 300;
/** No server takes a longer title … */
const TITLE = 1000;
/** … or text, in characters. */
const TEXT = 1 << 20;

/** What was typed and not sent, by the channel's id.
 * @type {Map<string, Record<string, any>>} */
const drafts = new Map();

/** @param {App} app
 * @returns {import("../app").PageView} */
export function sendPage(app) {
  const element = make("div", { className: "page" });
  let id = "";
  /** What the page shows: a form for these topics, or why there is none.
   * @type {string | null} */
  let drawn = null;
  /** @type {ReturnType<typeof sendForm> | null} */
  let form = null;

  const back = () => {
    const link = anchor(words.channels, "#channels", "back");
    link.prepend(shape("back"));
    return link;
  };

  function update() {
    const report = app.report();
    // Whether it can isn't known yet.
    if (report === null) return;
    const channel = report.channels.find((one) => one.id === id);
    const now = JSON.stringify([id, channel?.sends, channel?.topics]);
    if (now !== drawn) draw(channel);
    drawn = now;
    if (channel !== undefined) form?.show(channel);
  }

  /** @param {ChannelReport | undefined} channel */
  function draw(channel) {
    const name = shown(channel?.name ?? id, LINE);
    form = channel?.sends === true ? sendForm(app, channel) : null;
    if (form !== null) element.replaceChildren(back(), ...form.elements);
    else {
      const panel = channel === undefined
        ? emptyState(words.noSuchChannel, make("p", {}, words.noSuchChannelText))
        : emptyState(words.sendsNothing, make("p", {}, words.sendsNothingText), anchor(words.openSettings, editor(id), "button-link"));
      element.replaceChildren(back(), pageHead(name), panel);
    }
  }

  return {
    element,
    show(rest) {
      if (rest !== id) drawn = null;
      id = rest;
      update();
      // Where one writes.
      requestAnimationFrame(() => form?.focus());
    },
    update,
  };
}

/** @param {App} app @param {ChannelReport} channel */
function sendForm(app, { id, topics = [] }) {
  const topic = choiceField("topic", words.topic, topics.map((one) => [one, one]));
  const title = textField("title", words.titleOptional);
  const text = areaField("text", words.body, { hint: words.sendHint, most: TEXT });
  const priority = choiceField("priority", words.priorityLabel, [
    ["", words.priorityUsual], ...[5, 4, 3, 2, 1].map((one) => /** @type {[string, string]} */ ([String(one), words.priority(one)])),
  ]);
  const fields = topics.length > 1 ? [topic, title, text, priority] : [title, text, priority];
  title.element.querySelector("input")?.setAttribute("maxlength", String(TITLE));

  const send = pressing(words.send, submit, "strong");
  const news = make("p", { className: "verdict", role: "status" });
  const head = pageHead("");
  const heading = head.querySelector("h1");
  const way = foreign("p", "", "quiet state-line");
  const form = make(
    "form", { noValidate: true, className: "card group send" },
    ...fields.map((field) => field.element),
    make("div", { className: "row" }, send, news),
  );

  const draft = drafts.get(id) ?? {};
  for (const field of fields) field.show(draft, {});
  if (topics.length > 0 && !topics.includes(draft.topic)) topic.show({ topic: topics[0] }, {});

  form.addEventListener("input", () => {
    drafts.set(id, Object.fromEntries(fields.map((field) => [field.key, field.read()])));
    text.fail(null);
    say(null);
  });
  // A message that went out can't be called back: a line break in its title doesn't send it.
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send.click();
  });

  /** @param {boolean | null} well `null`: nothing to say. @param {string} [told] */
  function say(well, told = "") {
    news.dataset.ok = well === null ? "" : String(well);
    news.replaceChildren(...(told === "" ? [] : [foreign("span", shown(told, LINE))]));
  }

  async function submit() {
    const message = String(text.read() ?? "");
    if (message.trim() === "") {
      say(null);
      text.fail(words.sendNoText);
      text.focus();
      return;
    }
    say(null, words.sendingIt);
    const to = topics.length > 1 ? topic.read() : topics[0];
    const level = priority.read();
    try {
      await app.host.act({
        do: "send", channel: id, text: message, title: title.read() ?? null, tags: [],
        priority: level ? Number(level) : null, topic: to ?? null,
      });
    } catch (error) {
      say(false, reason(error));
      return;
    }
    // What was typed meanwhile is the next message.
    if (String(text.read() ?? "") === message) for (const field of [title, text]) field.show({}, {});
    drafts.set(id, Object.fromEntries(fields.map((field) => [field.key, field.read()])));
    const time = words.clock(new Date().toISOString(), new Date(), true);
    say(true, to === undefined ? words.sentAt({ time }) : words.sentTo({ topic: to, time }));
    if (form.contains(document.activeElement)) text.focus();
  }

  return {
    elements: [head, way, form],
    focus: () => text.focus(),
    /** @param {ChannelReport} channel */
    show(channel) {
      if (heading) write(heading, words.sendBy({ name: shown(channel.name, LINE) }));
      const only = topics.length === 1 ? ` · ${topics[0]}` : "";
      write(way, shown(`${channel.url}${only}`, LINE));
      send.disabled = !app.there();
    },
  };
}
