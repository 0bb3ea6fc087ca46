// The channels: what each is doing, and what can be done about it.

import { announce, button, byId, emptyState, foreign, make, shape } from "./dom.js";
import { copyButton } from "./clipboard.js";
import { shown } from "./text.js";
import { said, words } from "./words.js";

/** @typedef {import("./api").ChannelReport} ChannelReport */
/** @typedef {import("./api").StatusReport} StatusReport */
/** @typedef {import("./api").StateName} StateName */
/** @typedef {import("./api").Action} Action */

/** A name or a cause is cut to this many characters. */
const LINE = 300;

/** @type {Record<StateName, string>} */
const SHAPES = {
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

/** The section of the channels.
 * @param {object} page
 * @param {(action: Action, channel: string | null) => Promise<void>} page.act
 * @param {(error: unknown) => void} page.failed */
export function channelSection({ act, failed }) {
  const section = byId("channels", HTMLElement);
  const list = byId("channel-list", HTMLUListElement);
  const none = byId("channels-empty", HTMLDivElement);
  const paused = byId("paused", HTMLParagraphElement);
  const all = byId("all-commands", HTMLDivElement);
  const connectAll = pressing("", () => act("connect", null));
  const disconnectAll = pressing("", () => act("disconnect", null));
  all.append(connectAll, disconnectAll);
  said(() => {
    byId("channels-title", HTMLHeadingElement).textContent = words.channels;
    connectAll.textContent = words.actionConnectAll;
    disconnectAll.textContent = words.actionDisconnectAll;
    none.replaceChildren(noChannel(failed));
  });

  /** @type {Map<string, ReturnType<typeof channelRow>>} */
  const rows = new Map();

  /** @param {StatusReport | null} report @param {boolean} there Whether the agent is. */
  function show(report, there) {
    const channels = report?.channels ?? [];
    const now = new Date();
    section.hidden = report === null;
    none.hidden = channels.length > 0 || !there;
    for (const [id, row] of rows) {
      if (channels.some((channel) => channel.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    channels.forEach((channel, place) => {
      const row = rows.get(channel.id) ?? channelRow(channel.id, act);
      rows.set(channel.id, row);
      row.show(channel, now, there);
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
    });
    all.hidden = channels.length < 2 || !there;
    connectAll.hidden = !channels.some((channel) => channel.state === "disconnected");
    disconnectAll.hidden = channels.every((channel) => channel.state === "disconnected");
    const until = there ? (report?.paused_until ?? null) : null;
    paused.hidden = until === null;
    paused.textContent = until === null ? "" : words.pausedTill(until, now);
  }
  return { show };
}

/** @param {string} id @param {(action: Action, channel: string) => Promise<void>} act */
function channelRow(id, act) {
  const icon = make("span", { className: "state-icon" });
  const name = foreign("span", "", "channel-name");
  const state = foreign("span", "", "channel-state");
  /** @type {Map<Action, HTMLButtonElement>} */
  const commands = new Map();
  for (const action of ACTIONS) commands.set(action, pressing("", () => act(action, id)));
  const buttons = make("div", { className: "buttons" }, ...commands.values());
  const text = make("div", { className: "channel-text" }, make("h3", {}, name), make("p", {}, state));
  const element = make("li", { className: "channel card" }, icon, text, buttons);
  let told = "";

  /** @param {ChannelReport} channel @param {Date} now @param {boolean} there */
  function show(channel, now, there) {
    const title = shown(channel.name, LINE);
    const line = there ? shown(words.state(channel, now), LINE) : words.stateUnknown;
    const shaped = there ? SHAPES[channel.state] : "off";
    if (element.dataset.shape !== shaped) icon.replaceChildren(shape(shaped));
    element.dataset.shape = shaped;
    element.dataset.state = there ? channel.state : "unknown";
    if (name.textContent !== title) name.textContent = title;
    if (state.textContent !== line) state.textContent = line;
    const focused = document.activeElement;
    for (const [action, command] of commands) {
      command.hidden = !there || !COMMANDS[channel.state].includes(action);
      command.textContent = words.commands[action];
      // Which channel it is for, to who can't see the row.
      command.setAttribute("aria-label", `${words.commands[action]}: ${title}`);
    }
    if (focused instanceof HTMLButtonElement && focused.hidden && buttons.contains(focused)) {
      [...commands.values()].find((command) => !command.hidden)?.focus();
    }
    // A changed state is said; a changed time of the next try is not.
    const news = there ? channel.state : "unknown";
    if (told !== "" && told !== news) announce(words.channelNews({ name: title, state: line }));
    told = news;
  }
  return { element, show };
}

/** A button that takes no second press while the first is at work.
 * @param {string} label
 * @param {() => Promise<void>} press */
function pressing(label, press) {
  let busy = false;
  const element = button(label, async () => {
    if (busy) return;
    busy = true;
    element.setAttribute("aria-busy", "true");
    await press();
    busy = false;
    element.removeAttribute("aria-busy");
  });
  return element;
}

/** @param {(error: unknown) => void} failed */
function noChannel(failed) {
  return emptyState(
    words.noChannelTitle,
    make("p", {}, words.noChannelText({ file: words.settingsFile })),
    make("pre", { tabIndex: 0 }, words.noChannelExample.trimEnd()),
    make("p", {}, words.noChannelThen),
    copyButton(words.copyExample, () => words.noChannelExample, failed),
  );
}
