// The page of the channels: what each is doing, its commands, and the way to its settings and health.

import { anchor, make, pageHead, pressing, shape } from "../base/dom.js";
import { channelRow } from "../parts/channel-row.js";
import { welcome } from "../parts/welcome.js";
import { words } from "../words/words.js";

/** @param {import("../app").App} app
 * @returns {import("../app").PageView} */
export function channelsPage(app) {
  const connectAll = pressing(words.actionConnectAll, () => app.command("connect", null));
  const disconnectAll = pressing(words.actionDisconnectAll, () => app.command("disconnect", null));
  const add = anchor(words.addChannel, "#add", "button-link strong with-icon");
  add.prepend(shape("add"));
  const list = make("ul", { id: "channel-list", className: "channels" });
  const first = make("div");
  const buttons = make("div", { className: "buttons", id: "all-commands" }, connectAll, disconnectAll, add);
  const element = make("div", { className: "page" }, pageHead(words.channels, buttons), first, list);

  /** @type {Map<string, ReturnType<typeof channelRow>>} */
  const rows = new Map();

  function update() {
    const report = app.report();
    const there = app.there();
    const channels = report?.channels ?? [];
    const now = new Date();
    for (const [id, row] of rows) {
      if (channels.some((channel) => channel.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    channels.forEach((channel, place) => {
      const row = rows.get(channel.id) ?? channelRow(app, channel.id, true);
      rows.set(channel.id, row);
      row.show(channel, now, there);
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
    });
    const none = there && report !== null && channels.length === 0;
    if (none && first.childElementCount === 0) first.append(welcome(app));
    first.hidden = !none;
    element.classList.toggle("first-run", none);
    add.hidden = !there || none;
    const several = there && channels.length > 1;
    connectAll.hidden = !several || !channels.some((channel) => channel.state === "disconnected");
    disconnectAll.hidden = !several || channels.every((channel) => channel.state === "disconnected");
  }
  return { element, update, show: update };
}
