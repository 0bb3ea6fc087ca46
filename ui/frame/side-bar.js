// The side bar: the way to the window's sections, how many messages are unread, and whether a channel needs the user.

import { byId, make, shape, write } from "../base/dom.js";
import { words } from "../words/words.js";

/** As the address calls them. */
export const SECTIONS = /** @type {const} */ (["inbox", "channels", "health", "settings"]);

export function sideBar() {
  const nav = byId("nav", HTMLElement);
  const badge = make("span", { className: "count" });
  const alarm = make("span", { className: "alarm", role: "img" }, shape("attention"));
  const version = make("span", { id: "version" });

  return {
    /** In the language that is spoken now. */
    make() {
      nav.ariaLabel = words.pages;
      const links = SECTIONS.map((name) => {
        const link = make("a", { href: `#${name}` }, shape(name), make("span", { className: "nav-label" }, words[name]));
        if (name === "inbox") link.append(badge);
        if (name === "channels") link.append(alarm);
        return make("li", {}, link);
      });
      nav.replaceChildren(make("p", { className: "brand" }, shape("connected"), "Tidings"), make("ul", {}, ...links), make("p", { className: "foot" }, version));
    },
    /** Which one is looked at.
     * @param {string} section */
    at(section) {
      for (const link of nav.querySelectorAll("a")) {
        if (link.getAttribute("href") === `#${section}`) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    },
    /** @param {import("../host/api").StatusReport | null} report @param {boolean} there Whether the agent is. */
    show(report, there) {
      const unread = report?.unread ?? 0;
      const many = unread > 999 ? "999+" : String(unread);
      write(badge, unread > 0 ? many : "");
      badge.hidden = unread === 0;
      badge.ariaLabel = words.unreadCount({ count: unread });
      badge.role = "img";
      alarm.hidden = !there || !(report?.channels.some((channel) => channel.state === "needs_user") ?? false);
      alarm.ariaLabel = words.needsYou;
      write(version, report === null ? "" : words.version({ version: report.version }));
    },
  };
}
