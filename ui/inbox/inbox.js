// The page of the messages: newest first, searched and filtered by the agent, read and deleted here; above them the
// channels at a glance.

import { announce, button, emptyState, foreign, make, pageHead, pressing, shape, write } from "../base/dom.js";
import { shown } from "../base/text.js";
import { code, reason } from "../host/errors.js";
import { toast } from "../parts/toast.js";
import { welcome } from "../parts/welcome.js";
import { words } from "../words/words.js";
import { filterChips } from "./chips.js";
import { channelsAtAGlance } from "./glance.js";
import { messageList } from "./list.js";
import { MessageItem } from "./message.js";
import { pauseControl } from "./pause.js";
import { pictures } from "./pictures.js";

/** @typedef {import("../host/api").StoredMessage} StoredMessage */
/** @typedef {import("../app").App} App */

/** How long the search waits for the next letter, in milliseconds. */
const TYPING = 150;
/** What was searched for is cut to this many characters where it is told. */
const SEARCHED = 60;

/** What is asked for; outlives a change of the language.
 * @type {import("./chips.js").Filter & { search: string }} */
const filter = { search: "", channel: null, unread: false };
/** Rows that are about to be deleted: the agent hears of it once the time to undo is up.
 * @type {Set<number>} */
const doomed = new Set();

/** Rows that are gone; a list that was on its way may have them yet.
 * @type {Set<number>} */
const gone = new Set();

/** @param {App} app
 * @returns {import("../app").PageView} */
export function inboxPage(app) {
  /** Whether the first load was asked for. */
  let begun = false;
  /** The message that the Tab key reaches.
   * @type {MessageItem | undefined} */
  let current;
  /** The row to show, which may still be on its way.
   * @type {number | null} */
  let wanted = null;
  /** The highest row that is known. */
  let newest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  /** The messages that are open, so that they come back so.
   * @type {Set<number>} */
  const open = new Set();

  const pause = pauseControl((until) => app.act({ do: "pause", until }));
  const markAll = pressing(words.markAllRead, () => app.act({ do: "mark_all_read", channel: filter.channel }));
  const glance = channelsAtAGlance(app);
  const chips = filterChips({ choose, unreadOnly });
  const search = make("input", {
    id: "search", type: "search", autocomplete: "off", spellcheck: false, dir: "auto", value: filter.search,
    placeholder: words.searchHint, ariaLabel: words.search,
  });
  const found = make("p", { id: "found", className: "quiet", role: "status" });
  const newer = button(words.newerMessages, () => list.start(), "plain newer");
  const element = make("ol", { id: "message-list", className: "card messages" });
  const none = make("div", { id: "messages-empty" });
  const first = make("div", { id: "welcome" });
  const bar = make(
    "div",
    { className: "bar sticky" },
    chips.element,
    make("div", { className: "search" }, shape("search"), search),
  );
  const body = make("div", {}, glance.element, bar, found, newer, element, none);
  const page = make(
    "div",
    { className: "page inbox" },
    pageHead(words.inbox, make("div", { className: "buttons" }, markAll, pause.control)),
    pause.paused,
    first,
    body,
  );

  const list = messageList({
    element,
    failed: app.failed,
    changed: update,
    itemOf(message) {
      const item = new MessageItem(message, asks);
      item.update(new Date(), several());
      if (open.has(message.row)) item.toggle(true);
      return item;
    },
    place(item, place) {
      if (current === undefined || !current.element.isConnected) asks.focused(item);
      item.element.setAttribute("aria-posinset", String(place + 1));
      item.element.setAttribute("aria-setsize", list.whole ? String(list.length) : "-1");
    },
    async history(before, limit) {
      const search = filter.search.trim() === "" ? null : filter.search.trim();
      const { channel, unread } = filter;
      const messages = await app.host.history({ before, limit, search, channel, unread, since: null });
      newest = Math.max(newest, messages[0]?.row ?? 0);
      const kept = messages.filter((message) => !doomed.has(message.row) && !gone.has(message.row));
      // None at all would read as the end.
      if (kept.length > 0 || messages.length === 0) return kept;
      return this.history(messages.at(-1)?.row ?? null, limit);
    },
  });

  /** @type {import("./message.js").Page} */
  const asks = {
    openLink: (message, link) => void app.act({ do: "open_link", message, ...(link === undefined ? {} : { link }) }),
    runAction: (message, action) => app.act({ do: "run_action", message, action }),
    picture: pictures(app.host.picture),
    openFile: (message, file) => void app.act({ do: "open_file", message, file }),
    markRead: (message) => void app.act({ do: "mark_read", messages: [message] }),
    failed: app.failed,
    async fetchFull(row) {
      const asked = { before: row + 1, limit: 1, search: null, channel: null, unread: false, since: null };
      const [message] = await app.host.history(asked);
      if (message?.row !== row) throw new Error(words.messageGone);
      return message;
    },
    focused(item) {
      current?.setCurrent(false);
      current = item;
      item.setCurrent(true);
    },
    resized(item) {
      if (item.isOpen) open.add(item.row);
      else open.delete(item.row);
      list.drawSoon();
    },
    remove,
  };

  /** Out of sight at once, deleted when the time to undo is up.
   * @param {MessageItem} item */
  function remove(item) {
    const { row } = item;
    const next = list.beside(row, 1) ?? list.beside(row, -1);
    doomed.add(row);
    open.delete(row);
    const back = list.remove(row);
    (next?.button ?? search).focus();
    toast(words.messageDeleted, {
      label: words.undo,
      undo() {
        doomed.delete(row);
        back();
        list.item(row)?.button.focus();
      },
      settle: () => void app.act({ do: "delete", messages: [row] }),
    });
  }

  const channels = () => app.report()?.channels ?? [];
  const several = () => channels().length > 1;

  /** Brings a message into view and opens it.
   * @param {number} row */
  async function raise(row) {
    wanted = row;
    if (list.phase === "loading" || list.phase === "never") return;
    if (filter.search !== "" || filter.channel !== null || filter.unread) {
      Object.assign(filter, { search: "", channel: null, unread: false });
      search.value = "";
      await list.start();
    }
    // One that is listed far from the view is in no document that could be scrolled to it.
    if (!list.item(row)?.element.isConnected) {
      try {
        await asks.fetchFull(row);
      } catch {
        // Not there (yet): its event may still come.
        return;
      }
      await list.start(row);
    }
    const item = list.item(row);
    if (item === null || wanted !== row) return;
    wanted = null;
    item.toggle(true);
    list.draw();
    item.element.scrollIntoView({ block: "center" });
    item.button.focus({ preventScroll: true });
    element.querySelector(".raised")?.classList.remove("raised");
    item.element.classList.add("raised");
  }

  function again() {
    list.start().then(() => {
      if (filter.search !== "") announce(found.textContent ?? "");
    });
  }

  function clear() {
    clearTimeout(typing);
    search.value = "";
    if (filter.search !== "") {
      filter.search = "";
      again();
    }
    search.focus();
  }

  /** @param {StoredMessage} message */
  function fits(message) {
    const name = channels().find((channel) => channel.id === filter.channel)?.name;
    return (filter.channel === null || message.channel === name) && (!filter.unread || message.unread);
  }

  // What is drawn.

  /** @param {string | null} id */
  function choose(id) {
    filter.channel = id;
    update();
    again();
  }

  function unreadOnly() {
    filter.unread = !filter.unread;
    update();
    again();
  }

  /** What depends on the channels, the clock or the number of messages. */
  function update() {
    const report = app.report();
    const now = new Date();
    const none_yet = app.there() && report !== null && report.channels.length === 0;
    pause.show(report?.paused_until ?? null, app.there(), now);
    const filtered = filter.search !== "" || filter.channel !== null || filter.unread;
    const unread = filter.channel === null
      ? (report?.unread ?? 0)
      : (channels().find((channel) => channel.id === filter.channel)?.unread ?? 0);
    markAll.hidden = !app.there() || unread === 0;
    const starts = none_yet && list.length === 0 && !filtered;
    if (starts && first.childElementCount === 0) first.append(welcome(app));
    // What was typed there may be an address that is nobody's business any more.
    if (!starts) first.replaceChildren();
    first.hidden = !starts;
    body.hidden = starts;
    page.classList.toggle("first-run", starts);
    glance.show(channels(), now);
    // The one that was chosen is gone.
    if (filter.channel !== null && channels().length > 0 && !channels().some((channel) => channel.id === filter.channel)) {
      filter.channel = null;
      again();
    }
    chips.show(channels(), app.there(), filter, now);
    bar.hidden = list.length === 0 && !filtered;
    for (const item of list.items()) {
      item.update(now, several());
      const channel = channels().find((known) => known.name === item.message.channel);
      if (report !== null && (report.unread === 0 || channel?.unread === 0)) item.read();
    }
    newer.hidden = !list.cut;
    element.hidden = list.length === 0;
    element.ariaBusy = String(list.phase === "loading");
    const told = filter.search !== "" && list.phase === "loaded" && list.length > 0;
    write(found, !told ? "" : list.whole ? words.found({ count: list.length }) : words.foundMore({ count: list.length }));
    drawEmptiness(filtered);
    if (current === undefined || !current.element.isConnected) {
      const [top] = list.items();
      if (top !== undefined) asks.focused(top);
    }
  }

  let emptiness = "";
  /** @param {boolean} filtered */
  function drawEmptiness(filtered) {
    const linked = app.there() && channels().some((channel) => channel.state === "connected");
    const kind = list.phase === "failed" && !(code(list.cause) === "agent_gone" && list.length > 0)
      ? `failed ${reason(list.cause)}`
      : list.length > 0 || list.phase !== "loaded" ? "" : filtered ? `filtered ${filter.search}` : linked ? "linked" : "none";
    if (kind === emptiness) return;
    emptiness = kind;
    none.replaceChildren(...(kind === "" ? [] : [emptyPanel(kind.split(" ")[0] ?? "")]));
  }

  /** @param {string} kind */
  function emptyPanel(kind) {
    if (kind === "failed") {
      return emptyState(words.loadFailedTitle, make("p", {}, reason(list.cause)), button(words.tryAgain, again));
    }
    if (kind === "filtered") {
      const text = filter.search === ""
        ? make("p", {}, filter.unread ? words.allRead : words.noneOfChannel)
        : foreign("p", words.noHitsText({ searched: shown(filter.search, SEARCHED) }));
      return emptyState(words.noHitsTitle, text, button(words.clearFilter, () => {
        Object.assign(filter, { search: "", channel: null, unread: false });
        search.value = "";
        update();
        again();
        search.focus();
      }));
    }
    return emptyState(words.noMessagesTitle, make("p", {}, kind === "linked" ? words.noMessagesText : words.noMessagesNoLink));
  }

  element.addEventListener("keydown", (event) => {
    const item = current;
    if (item === undefined || !(event.target instanceof HTMLElement)) return;
    if (event.key === "Escape" && item.details?.contains(event.target)) {
      item.button.focus();
    } else if (event.key === "Escape" && item.isOpen) {
      item.toggle(false);
    } else if (event.target !== item.button) {
      return;
    } else if (event.key === "Delete") {
      remove(item);
    } else {
      const end = Number.MAX_SAFE_INTEGER;
      /** @type {Record<string, number | undefined>} */
      const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -end, End: end };
      const step = steps[event.key];
      if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      const target = list.beside(item.row, step);
      if (target !== null) {
        target.button.focus({ preventScroll: true });
        target.element.scrollIntoView({ block: "nearest" });
      } else if (step === -1) search.focus();
    }
    event.preventDefault();
  });
  element.addEventListener("animationend", (event) => {
    if (event.target instanceof HTMLElement) event.target.classList.remove("raised");
  });
  // A click anywhere on a closed message opens it, unless it was on a control or marked text.
  element.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest("button, a, summary, .details") !== null) return;
    if (document.getSelection()?.isCollapsed === false) return;
    const row = Number(event.target.closest(".message")?.getAttribute("data-row"));
    const item = list.item(row);
    item?.toggle(!item.isOpen);
  });
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      filter.search = search.value;
      again();
    }, TYPING);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (event.key === "ArrowDown") list.items()[0]?.button.focus();
    else return;
    event.preventDefault();
  });

  return {
    element: page,
    show() {
      if (begun) list.draw();
      update();
    },
    update,
    scrolled: () => list.drawSoon(),
    /** The agent is there, again or for the first time. */
    arrived() {
      begun = true;
      newest = 0;
      return list.start().then(() => {
        if (wanted !== null) raise(wanted);
      });
    },
    heard(message) {
      if (!begun) return;
      // Rows are numbered without a gap: where there is one, the page was too slow to be told of all that happened.
      const missed = message.row > newest + 1;
      newest = message.row;
      // Whether it is found is the agent's to say.
      if (missed) again();
      else if (filter.search.trim() !== "") {
        clearTimeout(typing);
        typing = setTimeout(again, TYPING);
      } else if (fits(message)) list.add(message);
      if (wanted === message.row) requestAnimationFrame(() => raise(message.row));
    },
    pictured(news) {
      list.about(news.message, (item) => item.pictured(news));
    },
    gone(rows) {
      for (const row of rows) {
        gone.add(row);
        open.delete(row);
      }
      if (!begun) return;
      const left = new Set(rows);
      const held = list.items().find((item) => left.has(item.row) && item.element.contains(document.activeElement));
      list.drop(left);
      if (held !== undefined) (list.items()[0]?.button ?? search).focus({ preventScroll: true });
    },
    wasRead(rows) {
      for (const row of rows) list.about(row, (item) => item.read());
    },
    raise,
    find() {
      search.focus();
      search.select();
    },
  };
}
