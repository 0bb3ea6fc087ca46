// What filters the messages: a chip for each channel, with its state and how many are unread, and one for the unread.

import { button, foreign, make, shape, write } from "../base/dom.js";
import { shown } from "../base/text.js";
import { SHAPES } from "../parts/channel-row.js";
import { words } from "../words/words.js";

/** @typedef {object} Filter
 * @property {string | null} channel
 * @property {boolean} unread */

/** A name is cut to this many characters. */
const NAME = 60;
/** What a channel is doing is cut to this many. */
const LINE = 300;

/** @param {object} page
 * @param {(id: string | null) => void} page.choose A channel, or all.
 * @param {() => void} page.unreadOnly Or all again. */
export function filterChips({ choose, unreadOnly }) {
  const element = make("div", { className: "chips", role: "group", ariaLabel: words.filter });
  /** @type {Map<string, HTMLButtonElement>} */
  const chipOf = new Map();

  /** @param {string} key @param {() => HTMLButtonElement} made */
  function chip(key, made) {
    const there = chipOf.get(key) ?? made();
    chipOf.set(key, there);
    return there;
  }

  /** @param {string} label @param {() => void} press */
  const toggle = (label, press) => button(label, press, "chip");

  /** @param {string} id */
  function channelChip(id) {
    const made = toggle("", () => choose(id));
    made.replaceChildren(
      make("span", { className: "state" }), foreign("span", ""), make("span", { className: "count" }),
    );
    return made;
  }

  /** @param {HTMLButtonElement} made @param {boolean} on */
  function pressed(made, on) {
    made.setAttribute("aria-pressed", String(on));
    return made;
  }

  return {
    element,
    /** @param {import("../host/api").ChannelReport[]} all @param {boolean} there @param {Filter} filter @param {Date} now */
    show(all, there, filter, now) {
      const wanted = [];
      if (all.length > 1) {
        wanted.push(pressed(chip("all", () => toggle(words.allChannels, () => choose(null))), filter.channel === null));
        for (const channel of all) {
          const name = shown(channel.name, NAME);
          const made = chip(`channel ${channel.id}`, () => channelChip(channel.id));
          const state = there ? SHAPES[channel.state] : "off";
          if (made.dataset.shape !== state) made.querySelector(".state")?.replaceChildren(shape(state));
          made.dataset.shape = state;
          const [label, count] = [made.querySelector(".foreign"), made.querySelector(".count")];
          if (label) write(label, name);
          if (count) write(count, channel.unread > 0 ? String(channel.unread) : "");
          const line = there ? shown(words.state(channel, now), LINE) : words.stateUnknown;
          made.title = line;
          made.ariaLabel = words.chip({ name, state: line, unread: channel.unread });
          wanted.push(pressed(made, filter.channel === channel.id));
        }
      }
      wanted.push(pressed(chip("unread", () => toggle(words.onlyUnread, unreadOnly)), filter.unread));
      wanted.forEach((made, place) => {
        if (element.children[place] !== made) element.insertBefore(made, element.children[place] ?? null);
      });
      while (element.children.length > wanted.length) element.lastElementChild?.remove();
    },
  };
}
