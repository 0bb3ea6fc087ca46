// One message: its line in the list, and its details once it is opened. All of its text is untrusted.

import { button, foreign, make, shape } from "../base/dom.js";
import { kept, shown } from "../base/text.js";
import { copyButton } from "../parts/clipboard.js";
import { words } from "../words/words.js";
import { actionButtons, fileLines } from "./extras.js";
import { fill, image } from "./pictures.js";
import { richText } from "./rich.js";

/** @typedef {import("../host/api").StoredMessage} StoredMessage */

/** How much of a text is kept, searched and shown, in UTF-16 units. A message may have a MiB; 200 of those would
 * make the page slow. Copying fetches all of it. */
const KEPT = 100_000;
/** How much of it is laid out before it is opened: three lines of the widest page. */
const PREVIEW = 700;
const TITLE = 300;
/** A text this long, or of so many lines, may scroll inside of its details and can then be reached by keyboard. */
const SCROLLS = 1500;
const SCROLLED_LINES = 10;

/** What an item asks of the page.
 * @typedef {object} Page
 * @property {(row: number, link?: number) => void} openLink Without a number: the message's own.
 * @property {(row: number) => void} markRead
 * @property {(row: number) => Promise<StoredMessage>} fetchFull
 * @property {(error: unknown) => void} failed
 * @property {(item: MessageItem) => void} focused
 * @property {(item: MessageItem) => void} resized It was opened or closed.
 * @property {(item: MessageItem) => void} remove
 * @property {import("./pictures.js").Pictures} picture
 * @property {(row: number, action: number) => Promise<boolean>} runAction
 * @property {(row: number, file: number) => void} openFile
 */

/** A message as the page keeps it.
 * @param {StoredMessage} message */
function slim(message) {
  const raw = typeof message.raw === "string" ? message.raw : message.raw.base64;
  return {
    row: message.row,
    channel: kept(message.channel, TITLE),
    id: message.id === null ? null : kept(message.id, TITLE),
    title: kept(message.title, KEPT),
    // A text that is read as Markdown is shorter than what is kept.
    rich: message.rich ?? null,
    body: kept(message.rich?.text ?? message.body, KEPT),
    raw: kept(raw, KEPT),
    bytes: typeof message.raw !== "string",
    priority: message.priority,
    url: message.url,
    receivedAt: message.received_at,
    topic: message.topic ?? null,
    app: message.app ?? null,
    icon: message.icon ?? null,
    picture: message.picture ?? null,
    tags: message.tags ?? [],
    actions: message.actions ?? [],
    files: message.attachments ?? [],
    wasCut: message.body.length > KEPT || raw.length > KEPT,
  };
}

export class MessageItem {
  /** @param {StoredMessage} message @param {Page} page */
  constructor(message, page) {
    this.message = slim(message);
    this.page = page;
    this.row = message.row;
    const { title, body, channel, priority, url } = this.message;
    const id = `message-${this.row}`;

    this.button = button("", () => this.toggle(), "title");
    this.button.id = id;
    this.button.setAttribute("aria-expanded", "false");
    this.button.append(foreign("span", shown(title.trim(), TITLE) || words.untitled));
    this.button.onfocus = () => page.focused(this);
    this.mark = make("span", { className: "unread", role: "img", ariaLabel: words.unread });
    this.mark.hidden = !message.unread;
    this.time = make("time", { dateTime: this.message.receivedAt });
    this.channel = foreign("span", shown(channel, TITLE), "channel-tag");
    const facts = make("p", { className: "facts" });
    if (priority >= 4) {
      const label = make("span", { className: "priority" }, words.priority(priority));
      label.dataset.priority = String(priority);
      facts.append(label);
    }
    this.sender = make("span", { className: "sender" });
    facts.append(this.sender, this.channel, this.time);
    this.drawSender();
    // Of three lines none is for what stands between paragraphs.
    this.preview = foreign("p", shown(body.trim().replace(/\n\s*\n/g, "\n"), PREVIEW), "preview");
    const heading = make("h2", {}, this.mark, this.button);
    this.element = make("li", { className: "message" }, heading, facts, this.preview);
    if (url !== null) this.element.append(this.link(url));
    this.element.dataset.row = String(this.row);
    this.element.dataset.priority = String(priority);
    this.element.dataset.unread = String(message.unread);
    this.setCurrent(false);
  }

  /** @param {string} url */
  link(url) {
    const open = button(words.openLink, () => {
      this.looked();
      this.page.openLink(this.row);
    }, "link");
    open.append(shape("link"));
    this.linkButton = open;
    return make("p", { className: "link-line" }, open, foreign("span", shown(place(url), TITLE), "quiet"));
  }

  /** Which application it is of, by name and icon. */
  drawSender() {
    const { app, icon } = this.message;
    this.sender.hidden = app === null && icon === null;
    const name = app === null ? [] : [foreign("span", shown(app, TITLE), "app")];
    if (icon === null) this.icon = undefined;
    else if (this.icon === undefined) this.icon = image("", "icon");
    this.sender.replaceChildren(...(this.icon === undefined ? [] : [this.icon]), ...name);
    this.drawIcon();
  }

  /** It may be another one by now. */
  drawIcon() {
    if (this.icon !== undefined && this.message.icon !== null) fill(this.icon, this.message.icon, this.page.picture);
  }

  /** Pictures may have come for it.
   * @param {{ app?: string | null, icon?: string, picture?: string }} news */
  pictured({ app, icon, picture }) {
    const before = this.message;
    this.message = { ...before, app: app ?? null, icon: icon ?? null, picture: picture ?? null };
    if (before.app !== this.message.app || before.icon !== this.message.icon) this.drawSender();
    else this.drawIcon();
    if (before.picture !== this.message.picture) this.drawPicture();
  }

  /** Where it is open. */
  drawPicture() {
    this.pictures?.replaceChildren();
    const { picture } = this.message;
    if (picture === null) return;
    const drawn = image(words.picture, "picture", () => this.page.resized(this));
    fill(drawn, picture, this.page.picture);
    this.pictures?.append(drawn);
  }

  /** The list is one stop of the Tab key; within it the arrow keys move.
   * @param {boolean} current */
  setCurrent(current) {
    this.button.tabIndex = current ? 0 : -1;
    if (this.linkButton) this.linkButton.tabIndex = current ? 0 : -1;
  }

  /** What depends on today and on the other channels.
   * @param {Date} now
   * @param {boolean} several */
  update(now, several) {
    this.time.textContent = words.received(this.message.receivedAt, now);
    this.time.title = words.fullTime(this.message.receivedAt);
    this.channel.hidden = !several;
  }

  get isOpen() {
    return this.details !== undefined;
  }

  looked() {
    if (!this.mark.hidden) this.page.markRead(this.row);
    this.read();
  }

  /** Somebody has looked at it, here or elsewhere. */
  read() {
    this.mark.hidden = true;
    this.element.dataset.unread = "false";
  }

  toggle(open = this.details === undefined) {
    if (open === (this.details !== undefined)) return;
    this.button.setAttribute("aria-expanded", String(open));
    this.preview.hidden = open;
    this.element.classList.toggle("open", open);
    if (open) {
      this.looked();
      this.details = this.makeDetails();
      this.button.setAttribute("aria-controls", this.details.id);
      this.element.append(this.details);
    } else {
      this.details?.remove();
      this.details = undefined;
      this.button.removeAttribute("aria-controls");
    }
    this.page.resized(this);
  }

  makeDetails() {
    const { title, body, rich, raw, bytes, wasCut, channel, id, priority, url, receivedAt } = this.message;
    const label = bytes ? words.rawBytes : words.raw;
    const blank = body.trim() === "";
    /** @type {HTMLElement[]} */
    let text = [blank ? make("p", { className: "quiet" }, words.noBody) : long("p", body, words.body, "body")];
    if (rich !== null) {
      const drawn = richText(rich, (link) => this.page.openLink(this.row, link));
      scrolling(drawn.body, body, words.body);
      text = drawn.parts;
    }
    const facts = make("dl", { className: "facts-list" });
    /** @param {string} name @param {string} value */
    const fact = (name, value) => facts.append(make("dt", {}, name), foreign("dd", shown(value, KEPT)));
    if (title.length > TITLE) fact(words.title, title);
    fact(words.receivedAt, words.fullTime(receivedAt));
    fact(words.channel, channel);
    fact(words.priorityLabel, words.priority(priority));
    if (this.message.app !== null) fact(words.app, this.message.app);
    if (this.message.topic !== null) fact(words.topic, this.message.topic);
    if (this.message.tags.length > 0) fact(words.tags, this.message.tags.join(", "));
    if (id !== null) fact(words.id, id);
    if (url !== null) fact(words.link, url);
    // As it came: nothing is left out here.
    const original = make("details", {}, make("summary", {}, label), long("pre", raw, label));
    original.ontoggle = () => this.page.resized(this);
    const full = async () => (wasCut ? this.page.fetchFull(this.row) : null);
    const buttons = make(
      "div",
      { className: "buttons" },
      copyButton(words.copyBody, async () => bodyText(await full()) ?? body, this.page.failed),
      copyButton(words.copyRaw, async () => rawText(await full()) ?? raw, this.page.failed),
      button(words.deleteMessage, () => this.page.remove(this), "quiet-button danger"),
    );
    this.pictures = make("div", { className: "pictures" });
    this.drawPicture();
    const details = make("div", { className: "details", id: `details-${this.row}` }, ...text, this.pictures);
    if (wasCut) details.append(make("p", { className: "quiet note" }, words.cut({ limit: KEPT })));
    for (const more of [actionButtons(this.row, this.message.actions, this.page), fileLines(this.row, this.message.files, this.page)]) {
      if (more !== null) details.append(more);
    }
    details.append(facts, original, buttons);
    return details;
  }
}

/** @param {StoredMessage | null} message */
function bodyText(message) {
  return message?.rich?.text ?? message?.body;
}

/** @param {StoredMessage | null} message */
function rawText(message) {
  if (message === null) return undefined;
  return typeof message.raw === "string" ? message.raw : message.raw.base64;
}

/** A text that may be long.
 * @param {"p" | "pre"} tag
 * @param {string} text
 * @param {string} label
 * @param {string} [className] */
function long(tag, text, label, className = "") {
  const element = foreign(tag, tag === "pre" ? text : shown(text, KEPT), className);
  scrolling(element, text, label);
  return element;
}

/** One that scrolls inside of its details takes the focus, so that the keyboard can scroll it.
 * @param {HTMLElement} element @param {string} text @param {string} label */
function scrolling(element, text, label) {
  if (text.length <= SCROLLS && text.split("\n", SCROLLED_LINES).length < SCROLLED_LINES) return;
  element.tabIndex = 0;
  element.role = "region";
  element.ariaLabel = label;
}

/** Where a link leads: its host, which is what one should look at before one follows it.
 * @param {string} url */
function place(url) {
  try {
    return new URL(url).host || url;
  } catch {
    return url;
  }
}
