// One channel in a list: what it is doing, and what can be done about it.

import { anchor, foreign, make, pressing, shape, write } from "../base/dom.js";
import { shown } from "../base/text.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").ChannelReport} ChannelReport */
/** @typedef {import("../host/api").StateName} StateName */
/** @typedef {import("../host/api").Action} Action */
/** @typedef {import("../app").App} App */

/** A name or a cause is cut to this many characters. */
const LINE = 300;

/** @type {Record<StateName, string>} */
export const SHAPES = {
  connected: "connected",
  connecting: "working",
  waiting: "working",
  disconnected: "off",
  replaced: "replaced",
  needs_user: "attention",
};

/** The commands that make sense in a state, as in the tray's menu.
 * @type {Record<StateName, Action[]>} */
const COMMANDS = {
  connected: ["disconnect"],
  connecting: ["disconnect"],
  waiting: ["reconnect_now", "disconnect"],
  disconnected: ["connect"],
  replaced: ["take_over"],
  needs_user: ["connect", "disconnect"],
};

/** Each has its place in every row, so that a press never lands on another one.
 * @type {Action[]} */
const ACTIONS = ["connect", "reconnect_now", "take_over", "disconnect"];

/** What is spoken with the server, where it isn't the usual.
 * @returns {Partial<Record<import("../host/api").ChannelKind, string>>} */
const KINDS = () => ({ ntfy: words.kindNtfy, gotify: words.kindGotify, dialogue: words.dialogue });

/** The page of a channel's settings.
 * @param {string} id */
export const editor = (id) => `#channels/${encodeURIComponent(id)}`;
/** The page of its health.
 * @param {string} id */
export const health = (id) => `#health/${encodeURIComponent(id)}`;

/** The page that sends a message by it.
 * @param {string} id */
export const sender = (id) => `#send/${encodeURIComponent(id)}`;

/** @param {App} app @param {string} id @param {boolean} [full] With its address and its pages. */
export function channelRow(app, id, full = false) {
  const icon = make("span", { className: "state-icon" });
  const name = foreign("span", "", "channel-name");
  const state = foreign("span", "", "channel-state");
  const address = foreign("span", "", "channel-address");
  const demo = make("span", { className: "tag" }, words.demo);
  const unread = make("span", { className: "count" });
  /** @type {Map<Action, HTMLButtonElement>} */
  const commands = new Map();
  for (const action of ACTIONS) commands.set(action, pressing(words.commands[action], () => app.command(action, id)));
  const signsIn = pressing(words.actionSignIn, () => app.act({ do: "sign_in", channel: id }));
  const end = pressing(words.endDemo, () => app.act({ do: "end_demo" }));
  const edits = anchor(full ? words.edit : words.openSettings, editor(id), "button-link");
  const healthLink = anchor(words.health, health(id), "button-link");
  const sends = anchor(words.send, sender(id), "button-link");
  const pages = full ? [sends, edits, healthLink] : [edits];
  const buttons = make("div", { className: "buttons" }, signsIn, ...commands.values(), end, ...pages);
  const line = make("h2", {}, name, demo, unread);
  const text = make("div", { className: "channel-text" }, line, make("p", {}, state));
  if (full) text.append(make("p", {}, address));
  const element = make("li", { className: "channel card" }, icon, text, buttons);

  /** @param {ChannelReport} channel @param {Date} now @param {boolean} there */
  function show(channel, now, there) {
    const title = shown(channel.name, LINE);
    const says = there ? shown(words.state(channel, now), LINE) : words.stateUnknown;
    const shaped = there ? SHAPES[channel.state] : "off";
    if (element.dataset.shape !== shaped) icon.replaceChildren(shape(shaped));
    element.dataset.shape = shaped;
    element.dataset.state = there ? channel.state : "unknown";
    write(name, title);
    write(state, says);
    const kind = KINDS()[channel.kind];
    write(address, shown(kind === undefined ? channel.url : `${channel.url} · ${kind}`, LINE));
    demo.hidden = !channel.demo;
    end.hidden = !channel.demo || !there;
    write(unread, full && channel.unread > 0 ? words.unreadCount({ count: channel.unread }) : "");
    unread.hidden = unread.textContent === "";
    const focused = document.activeElement;
    for (const [action, command] of commands) {
      command.hidden = !there || !COMMANDS[channel.state].includes(action);
      // Which channel it is for, to who can't see the row.
      command.setAttribute("aria-label", words.commandOf({ command: words.commands[action], name: title }));
    }
    // One that is connected needs no sign-in; any other may be waiting for one.
    const { session } = channel;
    signsIn.hidden = !there || session === undefined || session.given_by !== undefined || session.in_vain === true || channel.state === "connected";
    signsIn.setAttribute("aria-label", words.commandOf({ command: words.actionSignIn, name: title }));
    signsIn.classList.toggle("strong", channel.state === "needs_user");
    // The first thing that makes sense is offered first.
    edits.hidden = !there || channel.demo || !(full || channel.state === "needs_user");
    edits.setAttribute("aria-label", words.commandOf({ command: edits.textContent ?? "", name: title }));
    sends.hidden = !there || !channel.sends;
    sends.setAttribute("aria-label", words.commandOf({ command: words.send, name: title }));
    healthLink.hidden = !there;
    healthLink.setAttribute("aria-label", words.commandOf({ command: words.health, name: title }));
    if (focused instanceof HTMLButtonElement && focused.hidden && buttons.contains(focused)) {
      [...commands.values()].find((command) => !command.hidden)?.focus();
    }
  }
  return { element, show };
}
