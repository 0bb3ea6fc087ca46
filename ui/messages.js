// The newest messages: loaded once the agent is there, then kept up by its events; searched as one types.

import { button, byId, emptyState, make } from "./dom.js";
import { code, reason } from "./host.js";
import { MessageItem } from "./message.js";
import { folded } from "./text.js";
import { said, words } from "./words.js";

/** @typedef {import("./api").StoredMessage} StoredMessage */
/** @typedef {import("./api").HistoryQuery} HistoryQuery */

/** How many messages are kept, the newest. */
const KEPT = 200;

/** What is known of the channels; it decides what an empty list says. */
/** @typedef {"none" | "unlinked" | "linked"} Channels */

/** The section of the messages.
 * @param {object} page
 * @param {(query: HistoryQuery) => Promise<StoredMessage[]>} page.history
 * @param {(row: number) => void} page.openLink
 * @param {(row: number) => void} page.markRead
 * @param {(error: unknown) => void} page.failed */
export function messageSection({ history, openLink, markRead, failed }) {
  const section = byId("messages", HTMLElement);
  const bar = section.getElementsByTagName("header").item(0);
  const list = byId("message-list", HTMLOListElement);
  const none = byId("messages-empty", HTMLDivElement);
  const found = byId("found", HTMLParagraphElement);
  const search = byId("search", HTMLInputElement);
  said(() => {
    byId("messages-title", HTMLHeadingElement).textContent = words.messages;
    search.placeholder = words.searchHint;
    search.ariaLabel = words.search;
  });

  /** By row.
   * @type {Map<number, MessageItem>} */
  let items = new Map();
  /** The message that the Tab key reaches.
   * @type {MessageItem | undefined} */
  let current;
  /** The row to show, which may still be on its way.
   * @type {number | null} */
  let wanted = null;
  /** The last one shown by wish; it stays though it may be older than the rest. */
  let pinned = 0;
  /** @type {"never" | "loading" | "loaded" | "failed"} */
  let phase = "never";
  let loads = 0;
  let cause = "";
  /** @type {Channels} */
  let channels = "linked";
  let several = false;
  let drawing = false;

  const page = {
    openLink,
    markRead,
    failed,
    fetchFull,
    /** @param {MessageItem} item */
    focused(item) {
      current?.setCurrent(false);
      current = item;
      item.setCurrent(true);
    },
  };

  /** @param {StoredMessage} message */
  function put(message) {
    if (!items.has(message.row)) items.set(message.row, new MessageItem(message, page));
  }

  function prune() {
    const rows = [...items.keys()].sort((a, b) => b - a);
    for (const row of rows.slice(KEPT)) {
      if (row === pinned) continue;
      items.get(row)?.element.remove();
      items.delete(row);
    }
  }

  /** @param {StoredMessage} message */
  function add(message) {
    put(message);
    prune();
    drawSoon();
  }

  /** Loads the newest. What comes meanwhile is kept too. */
  async function load() {
    loads += 1;
    const mine = loads;
    phase = "loading";
    const before = new Set(items.keys());
    draw();
    try {
      const loaded = await newest();
      if (mine !== loads) return;
      const rows = new Set(loaded.map((message) => message.row));
      // What is no longer there has been deleted.
      for (const row of before) {
        if (rows.has(row) || row === pinned) continue;
        items.get(row)?.element.remove();
        items.delete(row);
      }
      loaded.forEach(put);
      phase = "loaded";
    } catch (error) {
      if (mine !== loads) return;
      // A gone agent is told above, and its return loads again.
      phase = code(error) === "agent_gone" && items.size > 0 ? "loaded" : "failed";
      cause = reason(error);
    }
    prune();
    draw();
    if (wanted !== null) show(wanted);
  }

  /** In smaller portions where huge messages make one answer too long. */
  async function newest() {
    /** @type {StoredMessage[]} */
    const loaded = [];
    let limit = KEPT;
    while (loaded.length < KEPT) {
      try {
        const before = loaded.at(-1)?.row ?? null;
        const portion = await history({ before, limit: Math.min(limit, KEPT - loaded.length) });
        loaded.push(...portion);
        if (portion.length < limit) break;
      } catch (error) {
        if (limit === 1 || code(error) !== "failed") throw error;
        limit = Math.ceil(limit / 8);
      }
    }
    return loaded;
  }

  /** @param {number} row */
  async function fetchFull(row) {
    const [message] = await history({ before: row + 1, limit: 1 });
    if (message?.row !== row) throw new Error(words.loadFailedTitle);
    return message;
  }

  /** Brings a message into view and opens it.
   * @param {number} row */
  async function show(row) {
    wanted = row;
    if (phase === "loading" || phase === "never") return;
    if (!items.has(row)) {
      try {
        put(await fetchFull(row));
      } catch {
        // Not there (yet): its event may still come.
        return;
      }
    }
    const item = items.get(row);
    if (item === undefined || wanted !== row) return;
    wanted = null;
    pinned = row;
    prune();
    if (search.value !== "") search.value = "";
    item.toggle(true);
    draw();
    item.element.scrollIntoView({ block: "start" });
    item.button.focus({ preventScroll: true });
    list.querySelector(".raised")?.classList.remove("raised");
    item.element.classList.add("raised");
  }

  /** Once per frame, however many messages come. */
  function drawSoon() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
      if (wanted !== null && items.has(wanted)) show(wanted);
    });
  }

  function draw() {
    const now = new Date();
    const terms = folded(search.value).split(/\s+/).filter((term) => term !== "");
    const hold = anchor();
    const ordered = [...items.values()].sort((a, b) => b.row - a.row);
    let hits = 0;
    ordered.forEach((item, place) => {
      if (list.children[place] !== item.element) list.insertBefore(item.element, list.children[place] ?? null);
      item.update(now, several);
      item.element.hidden = !item.matches(terms);
      if (!item.element.hidden) hits += 1;
    });
    hold();
    if (current === undefined || current.element.hidden || !current.element.isConnected) {
      const first = ordered.find((item) => !item.element.hidden);
      if (first !== undefined) page.focused(first);
    }
    section.ariaBusy = String(phase === "loading");
    list.hidden = hits === 0;
    found.textContent = terms.length === 0 ? "" : words.found({ found: hits, all: ordered.length });
    none.replaceChildren(...emptiness(hits, ordered.length));
    section.hidden = phase === "never";
    section.classList.toggle("bare", ordered.length === 0);
  }

  /** @param {number} hits @param {number} all */
  function emptiness(hits, all) {
    if (phase === "failed") {
      return [emptyState(words.loadFailedTitle, make("p", {}, cause), button(words.tryAgain, load))];
    }
    if (hits > 0 || phase !== "loaded") return [];
    if (all > 0) {
      const text = make("p", { className: "foreign" }, words.noHitsText({ searched: search.value, all }));
      return [emptyState(words.noHitsTitle, text, button(words.clearSearch, clear))];
    }
    /** @type {Record<Channels, string>} */
    const texts = {
      none: words.noMessagesNoChannel,
      unlinked: words.noMessagesNoLink,
      linked: words.noMessagesText,
    };
    return [emptyState(words.noMessagesTitle, make("p", {}, texts[channels]))];
  }

  /** Remembers what is being read, and afterwards puts it back where it was: what comes on top must not push
   * the text away under the eyes. */
  function anchor() {
    const top = bar?.getBoundingClientRect().bottom ?? 0;
    const reads = list.getBoundingClientRect().top < top - 1;
    const items = /** @type {HTMLCollectionOf<HTMLElement>} */ (list.children);
    const read = reads ? [...items].find((item) => item.getBoundingClientRect().bottom > top) : undefined;
    const before = read?.getBoundingClientRect().top ?? 0;
    return () => {
      if (read === undefined || read.hidden || !read.isConnected) return;
      const moved = read.getBoundingClientRect().top - before;
      if (moved !== 0) window.scrollBy({ top: moved, behavior: "instant" });
    };
  }

  function clear() {
    search.value = "";
    draw();
    search.focus();
  }

  /** @param {number} from @param {number} step */
  function move(from, step) {
    const shownItems = [...list.querySelectorAll(".message:not([hidden])")];
    const place = Math.max(0, Math.min(shownItems.length - 1, from + step));
    const row = Number(shownItems[place]?.getAttribute("data-row"));
    items.get(row)?.button.focus();
  }

  list.addEventListener("keydown", (event) => {
    const item = current;
    if (item === undefined || !(event.target instanceof HTMLElement)) return;
    if (event.key === "Escape" && item.details?.contains(event.target)) {
      item.button.focus();
    } else if (event.key === "Escape" && item.details !== undefined) {
      item.toggle(false);
    } else if (event.target !== item.button) {
      return;
    } else {
      const place = [...list.querySelectorAll(".message:not([hidden])")].indexOf(item.element);
      const end = Number.MAX_SAFE_INTEGER;
      /** @type {Record<string, number | undefined>} */
      const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -end, End: end };
      const step = steps[event.key];
      if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      if (step === -1 && place === 0) search.focus();
      else move(place, step);
    }
    event.preventDefault();
  });
  list.addEventListener("animationend", (event) => {
    if (event.target instanceof HTMLElement) event.target.classList.remove("raised");
  });
  // A click anywhere on a closed message opens it, unless it was on a control or marked text.
  list.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest("button, a, summary, .details") !== null) return;
    if (document.getSelection()?.isCollapsed === false) return;
    items.get(Number(event.target.closest(".message")?.getAttribute("data-row")))?.toggle();
  });
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (event.key === "ArrowDown") move(-1, 1);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "f" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  return {
    add,
    draw,
    load,
    show,
    /** After a change of the language: the messages are made again. */
    say() {
      items = new Map();
      current = undefined;
      list.replaceChildren();
      if (phase !== "never") load();
    },
    /** @param {Channels} state @param {boolean} many */
    about(state, many) {
      if (channels === state && several === many) return;
      channels = state;
      several = many;
      draw();
    },
  };
}
