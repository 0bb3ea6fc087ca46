// The channels at a glance above the messages: the only one, or those of several that need somebody.

import { make } from "../base/dom.js";
import { channelRow } from "../parts/channel-row.js";

/** States that stay until the user does something. */
const STUCK = ["replaced", "needs_user", "disconnected"];

/** @param {import("../app").App} app */
export function channelsAtAGlance(app) {
  const element = make("ul", { className: "channels" });
  /** @type {Map<string, ReturnType<typeof channelRow>>} */
  const rows = new Map();

  return {
    element,
    /** @param {import("../host/api").ChannelReport[]} all @param {Date} now */
    show(all, now) {
      const told = all.length === 1 ? all : all.filter((channel) => STUCK.includes(channel.state));
      for (const [id, row] of rows) {
        if (told.some((channel) => channel.id === id)) continue;
        row.element.remove();
        rows.delete(id);
      }
      told.forEach((channel, place) => {
        const row = rows.get(channel.id) ?? channelRow(app, channel.id);
        rows.set(channel.id, row);
        row.show(channel, now, app.there());
        if (element.children[place] !== row.element) element.insertBefore(row.element, element.children[place] ?? null);
      });
      element.hidden = told.length === 0;
    },
  };
}
