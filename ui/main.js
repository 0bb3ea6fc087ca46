// Joins the parts: the pages and the way between them, what the host tells, what the user does.

import { announce, byId } from "./base/dom.js";
import { shown } from "./base/text.js";
import { untilMidnight } from "./base/time.js";
import { channelsPage } from "./channels/channels.js";
import { banners } from "./frame/banners.js";
import { SECTIONS, sideBar } from "./frame/side-bar.js";
import { zoomable } from "./frame/zoom.js";
import { code, reason } from "./host/errors.js";
import * as host from "./host/host.js";
import { inboxPage } from "./inbox/inbox.js";
import { settleToast } from "./parts/toast.js";
import { speak, words } from "./words/words.js";

/** @typedef {import("./host/api").PageEvent} PageEvent */
/** @typedef {import("./host/api").StatusReport} StatusReport */
/** @typedef {import("./app").PageView} PageView */

/** A timer is not set for longer, since it stands still while the machine sleeps. In milliseconds. */
const LOOK_AT_CLOCK = 600_000;
const LINE = 300;

const main = byId("main", HTMLElement);

/** @type {import("./host/api").AgentLink | null} */
let agent = null;
/** @type {StatusReport | null} */
let report = null;
/** @type {string | null} */
let failure = null;
/** The agent came (back) and its first snapshot has not been seen yet. */
let fresh = false;

const there = () => agent?.type === "agent_connected";

/** @type {import("./app").App} */
const app = {
  host,
  report: () => report,
  there,
  async act(command) {
    try {
      await host.act(command);
      failed(null);
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  },
  command: (action, channel) => app.act({ do: "channel", action, channel }),
  failed,
  go(place) {
    location.hash = place;
  },
};

/** The pages and what they are called in the address. What the longer ones need is fetched when they are gone to.
 * @type {Record<string, () => Promise<(app: import("./app").App) => PageView>>} */
const PAGES = {
  inbox: async () => inboxPage,
  channels: async () => channelsPage,
  editor: async () => (await import("./channels/editor.js")).editorPage,
  send: async () => (await import("./channels/send.js")).sendPage,
  health: async () => (await import("./health/health.js")).healthPage,
  settings: async () => (await import("./settings/settings.js")).settingsPage,
};

/** Those that were gone to.
 * @type {Map<string, Promise<PageView>>} */
let pages = new Map();
/** @type {PageView[]} */
let made = [];
/** @type {PageView | null} */
let current = null;
/** Where each page was scrolled to.
 * @type {Map<PageView, number>} */
const scrolled = new Map();

const top = banners({ restart: () => app.act({ do: "restart_agent" }), dismiss: () => failed(null) });
const side = sideBar();

/** @param {unknown} error `null`: all is well (again). */
function failed(error) {
  // A gone agent has its own banner.
  const told = error === null || (code(error) === "agent_gone" && agent?.type === "agent_gone");
  failure = told ? null : reason(error);
  drawTop();
}

function drawTop() {
  top.show({ agent, notices: there() ? (report?.notices ?? []) : [], failure });
}

/** The page of the address, and what follows its name. */
function place() {
  const [name = "", rest = ""] = location.hash.slice(1).split("/");
  let id = "";
  try {
    id = decodeURIComponent(rest);
  } catch {
    // No channel has such an id.
  }
  // With an address that was pasted elsewhere: `+` shows it, `?` also looks what is there. No channel has such an id.
  const pasted = { add: "+", look: "?" }[name];
  if (pasted !== undefined) return { page: "editor", section: "channels", rest: id === "" ? "" : pasted + id };
  if (name === "send") return { page: "send", section: "channels", rest: id };
  if (name === "channels" && id !== "") return { page: "editor", section: "channels", rest: id };
  const known = SECTIONS.find((section) => section === name) ?? "inbox";
  return { page: known, section: known, rest: id };
}

/** @param {string} name
 * @returns {Promise<PageView>} */
function pageOf(name) {
  const known = pages.get(name);
  if (known !== undefined) return known;
  const mine = made;
  const page = /** @type {() => Promise<(app: import("./app").App) => PageView>} */ (PAGES[name])().then((make) => {
    const view = make(app);
    mine.push(view);
    if (there() && report !== null && !fresh) view.arrived?.();
    return view;
  });
  pages.set(name, page);
  return page;
}

/** @param {boolean} moved Whether the user went there: the focus goes along. */
async function route(moved) {
  const { page, section, rest } = place();
  const mine = made;
  const next = await pageOf(page);
  // Gone on meanwhile, or the language is another one.
  if (mine !== made || page !== place().page || rest !== place().rest) return;
  if (next !== current) {
    if (current !== null) {
      scrolled.set(current, scrollY);
      current.leave?.();
    }
    current = next;
    main.replaceChildren(next.element);
    main.dataset.page = page;
  }
  next.show?.(rest);
  side.at(section);
  window.scrollTo({ top: scrolled.get(next) ?? 0, behavior: "instant" });
  if (moved) main.querySelector("h1")?.focus({ preventScroll: true });
}

function draw() {
  drawTop();
  side.show(report, there());
  current?.update();
}

/** All pages anew, in the language that is spoken now. What was typed is kept by the pages' modules. */
function build() {
  pages = new Map();
  made = [];
  scrolled.clear();
  side.make();
  side.show(report, there());
  current?.leave?.();
  current = null;
  route(false);
}

/** @param {StatusReport} told */
function take(told) {
  report = told;
  document.documentElement.dataset.theme = told.theme;
  if (speak(told.language)) {
    settleToast();
    build();
  }
}

/** @param {PageEvent} event */
function heard(event) {
  switch (event.type) {
    case "agent_connected":
      agent = event;
      fresh = true;
      failure = null;
      break;
    case "agent_gone":
      agent = event;
      fresh = false;
      break;
    case "snapshot": {
      take(event);
      const first = fresh;
      fresh = false;
      if (first) for (const page of made) page.arrived?.();
      // The settings may be others now.
      else if (main.dataset.page !== "inbox") current?.arrived?.();
      break;
    }
    case "state": {
      if (report === null) break;
      const before = report.channels.find((channel) => channel.id === event.id);
      report = {
        ...report,
        channels: report.channels.map((channel) => (channel.id === event.id ? event : channel)),
      };
      // A changed state is said; a changed time of the next try is not.
      if (before?.state !== event.state) {
        const state = shown(words.state(event, new Date()), LINE);
        announce(words.channelNews({ name: shown(event.name, LINE), state }));
      }
      break;
    }
    case "message":
      for (const page of made) page.heard?.(event);
      return;
    case "pictures":
      for (const page of made) page.pictured?.(event);
      return;
    case "gone":
      for (const page of made) page.gone?.(event.messages);
      return;
    case "read":
      for (const page of made) page.wasRead?.(event.messages);
      return;
    case "raise":
      if (event.add !== null) app.go(`#add/${encodeURIComponent(event.add)}`);
      if (event.message !== null) {
        const { message } = event;
        const raise = () => pageOf("inbox").then((inbox) => inbox.raise?.(message));
        if (place().page === "inbox") raise();
        else {
          // Once the page is shown, which scrolls and moves the focus.
          addEventListener("hashchange", raise, { once: true });
          app.go("#inbox");
        }
      }
      return;
  }
  draw();
}

/** What "today" means has changed, or may have. */
function watchClock() {
  setTimeout(() => {
    draw();
    watchClock();
  }, Math.min(LOOK_AT_CLOCK, untilMidnight(new Date()) + 50));
}

build();
watchClock();
document.addEventListener("visibilitychange", () => document.hidden || draw());
addEventListener("hashchange", () => route(true));
addEventListener("scroll", () => current?.scrolled?.(), { passive: true });
addEventListener("resize", () => current?.scrolled?.(), { passive: true });
// What was to be undone no more.
addEventListener("pagehide", settleToast);
document.addEventListener("keydown", (event) => {
  if (event.key !== "f" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  if (current?.find === undefined) return;
  event.preventDefault();
  current.find();
});
if (host.zoom !== null) zoomable(host.zoom);
host.subscribe(heard).catch(failed);
