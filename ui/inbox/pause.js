// Pausing the popups: a button that opens the choices, or that resumes.

import { button, make, shape, write } from "../base/dom.js";
import { words } from "../words/words.js";

/** Until resumed. */
const FOREVER = "9999-12-30T22:00:00.999999999Z";
const MINUTE = 60_000;
/** When "tomorrow" begins, as in the tray's menu. */
const MORNING = 8;

/** @param {(until: string | null) => void} pause */
export function pauseControl(pause) {
  const menu = make("div", { className: "menu", popover: "auto", id: "pause-menu" });
  menu.append(
    choice(words.pauseHalfHour, () => later(30)),
    choice(words.pauseHour, () => later(60)),
    choice(words.pauseTomorrow, tomorrow),
    choice(words.pauseForever, () => FOREVER),
  );
  /** @param {string} label @param {() => string} until */
  function choice(label, until) {
    return button(label, () => {
      menu.hidePopover();
      pause(until());
    });
  }
  const opens = make("button", { type: "button", className: "with-icon" }, shape("pause"), words.pause);
  opens.setAttribute("popovertarget", menu.id);
  // The popover is in the top layer, so that its place is found here.
  menu.addEventListener("toggle", () => {
    const { right, bottom } = opens.getBoundingClientRect();
    menu.style.top = `${bottom + 4 + scrollY}px`;
    menu.style.left = `${Math.max(8, Math.min(right, innerWidth - 8) - menu.offsetWidth)}px`;
    if (menu.matches(":popover-open")) menu.querySelector("button")?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...menu.querySelectorAll("button")];
    const next = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + step;
    all[(next + all.length) % all.length]?.focus();
  });

  const text = make("span");
  const resume = button(words.resume, () => pause(null));
  const paused = make("p", { className: "note-line", id: "paused" }, shape("pause"), text, resume);

  return {
    control: make("div", {}, opens, menu),
    paused,
    /** @param {string | null} until @param {boolean} there @param {Date} now */
    show(until, there, now) {
      opens.hidden = !there || until !== null;
      paused.hidden = !there || until === null;
      write(text, until === null ? "" : words.pausedTill(until, now));
    },
  };
}

/** @param {number} minutes */
const later = (minutes) => new Date(Date.now() + minutes * MINUTE).toISOString();

function tomorrow() {
  const time = new Date();
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() + 1, MORNING).toISOString();
}
