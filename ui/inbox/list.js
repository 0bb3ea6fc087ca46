// The list of messages, however many there are: rows are known by number and height, and only those near the
// view are in the document. Older ones are fetched when one comes near the end, others again when one comes back.

/** @typedef {import("../host/api").StoredMessage} StoredMessage */
/** @typedef {import("./message.js").MessageItem} MessageItem */

/** How many messages are asked for at once. A message may have a MiB: fewer come then. */
const PORTION = 50;
/** How far beyond the view rows are laid out, in pixels. Too low shows gaps in fast scrolling, too high costs layout. */
const MARGIN = 1200;
/** At most so many rows are in the document. */
const MOST = 120;
/** Rows this far from those are kept as they are, so that a little scrolling to and fro fetches nothing. */
const NEAR = 60;
/** The height of a row that was never seen, in pixels. */
const GUESS = 82;

/** @typedef {object} Entry
 * @property {number} row
 * @property {number} height In pixels.
 * @property {MessageItem | null} item */

/** @typedef {"never" | "loading" | "loaded" | "failed"} Phase */

/** @param {object} page
 * @param {HTMLOListElement} page.element
 * @param {(message: StoredMessage) => MessageItem} page.itemOf
 * @param {(before: number | null, limit: number) => Promise<StoredMessage[]>} page.history Newest first; none: no more.
 * @param {(item: MessageItem, place: number) => void} page.place Told of each row that is in the document.
 * @param {() => void} page.changed The phase or the number of messages is another one.
 * @param {(error: unknown) => void} page.failed */
export function messageList({ element, itemOf, history, place, changed, failed }) {
  /** Newest first, without gaps.
   * @type {Entry[]} */
  let entries = [];
  /** @type {Phase} */
  let phase = "never";
  /** @type {unknown} */
  let cause = null;
  /** The newest row that may be listed, if not the very newest.
   * @type {number | null} */
  let ceiling = null;
  let ended = false;
  let busy = false;
  let generation = 0;
  let soon = false;
  let told = "";

  /** Loads from the top, or from this row on.
   * @param {number | null} [from] */
  async function start(from = null) {
    generation += 1;
    const mine = generation;
    phase = "loading";
    busy = true;
    changed();
    try {
      const loaded = await history(from === null ? null : from + 1, PORTION);
      if (mine !== generation) return;
      const before = new Map(entries.map((entry) => [entry.row, entry]));
      const newest = loaded[0]?.row ?? 0;
      // What came by an event while this was on its way is newer than the answer, and stays.
      const kept = from === null && ceiling === null ? entries.filter((entry) => entry.row > newest && arrived.has(entry.row)) : [];
      ceiling = from;
      entries = [...kept, ...loaded.map((message) => renewed(before.get(message.row), message))];
      ended = loaded.length === 0;
      phase = "loaded";
    } catch (error) {
      if (mine !== generation) return;
      phase = "failed";
      cause = error;
    }
    arrived.clear();
    settle();
    draw();
    changed();
  }
  /** Rows that came by events since the last load began.
   * @type {Set<number>} */
  const arrived = new Set();

  /** @param {Entry | undefined} old @param {StoredMessage} message
   * @returns {Entry} */
  function renewed(old, message) {
    if (old?.item) {
      if (!message.unread) old.item.read();
      old.item.pictured(message);
      return old;
    }
    return { row: message.row, height: GUESS, item: itemOf(message) };
  }

  async function older() {
    const last = entries.at(-1);
    if (busy || ended || phase !== "loaded" || last === undefined) return;
    busy = true;
    const mine = generation;
    try {
      const loaded = await history(last.row, PORTION);
      if (mine !== generation) return;
      entries.push(...loaded.map((message) => ({ row: message.row, height: GUESS, item: itemOf(message) })));
      ended = loaded.length === 0;
    } catch (error) {
      if (mine !== generation) return;
      ended = true;
      failed(error);
    }
    settle();
    drawSoon();
    changed();
  }

  /** Fetches again what was let go.
   * @param {number} from @param {number} to Places. */
  async function again(from, to) {
    if (busy) return;
    busy = true;
    const mine = generation;
    const wanted = entries.slice(from, Math.min(to, from + PORTION));
    try {
      const before = entries[from - 1]?.row ?? (ceiling === null ? null : ceiling + 1);
      const loaded = await history(before, wanted.length);
      if (mine !== generation) return;
      const found = new Map(loaded.map((message) => [message.row, message]));
      const lowest = loaded.at(-1)?.row ?? Infinity;
      const gone = new Set();
      for (const entry of wanted) {
        const message = found.get(entry.row);
        if (message !== undefined) entry.item = itemOf(message);
        // Deleted meanwhile, or it no longer fits the filter.
        else if (entry.row >= lowest || loaded.length === 0) gone.add(entry);
      }
      if (gone.size > 0) entries = entries.filter((entry) => !gone.has(entry));
    } catch (error) {
      if (mine !== generation) return;
      failed(error);
    }
    settle();
    drawSoon();
  }

  /** What is told of rows while messages are on their way: those may be older.
   * @type {{ row: number, tell: (item: MessageItem) => void }[]} */
  let late = [];

  /** The messages that were asked for are here, or won't come. */
  function settle() {
    busy = false;
    const told = late;
    late = [];
    for (const { row, tell } of told) about(row, tell);
  }

  /** Tells a row's item something, where there is one.
   * @param {number} row @param {(item: MessageItem) => void} tell */
  function about(row, tell) {
    const item = entries.find((entry) => entry.row === row)?.item;
    if (item) tell(item);
    if (busy) late.push({ row, tell });
  }

  /** @param {StoredMessage} message One that has just come. */
  function add(message) {
    if (phase === "loading") arrived.add(message.row);
    if (ceiling !== null || entries.some((entry) => entry.row === message.row)) return;
    const newer = entries.findIndex((entry) => entry.row < message.row);
    const entry = { row: message.row, height: GUESS, item: itemOf(message) };
    entries.splice(newer === -1 ? entries.length : newer, 0, entry);
    drawSoon();
  }

  /** Takes a row out, and returns what brings it back.
   * @param {number} row */
  function remove(row) {
    const index = entries.findIndex((entry) => entry.row === row);
    const [entry] = index === -1 ? [] : entries.splice(index, 1);
    draw();
    changed();
    return () => {
      if (entry === undefined || entries.some((other) => other.row === row)) return;
      const older = entries.findIndex((other) => other.row < row);
      entries.splice(older === -1 ? entries.length : older, 0, entry);
      draw();
      changed();
    };
  }

  /** Takes rows out that are no longer there.
   * @param {Set<number>} rows */
  function drop(rows) {
    const left = entries.filter((entry) => !rows.has(entry.row));
    if (left.length === entries.length) return;
    entries = left;
    draw();
    changed();
  }

  /** Once per frame, however much happens. */
  function drawSoon() {
    if (soon) return;
    soon = true;
    requestAnimationFrame(() => {
      soon = false;
      draw();
      // Scrolling alone changes nothing but the rows.
      const now = [entries.length, phase, ended, ceiling].join();
      if (now !== told) changed();
      told = now;
    });
  }

  function draw() {
    if (!element.isConnected) return;
    const view = -element.getBoundingClientRect().top;
    const [from, to] = [view - MARGIN, view + innerHeight + MARGIN];
    let first = 0;
    let top = 0;
    for (; first < entries.length - 1; first += 1) {
      const { height } = /** @type {Entry} */ (entries[first]);
      if (top + height >= from) break;
      top += height;
    }
    let last = first;
    for (let bottom = top; last < entries.length && bottom < to && last - first < MOST; last += 1) {
      bottom += entries[last]?.height ?? 0;
    }
    // Those that are there; the others leave their room empty until they are.
    const wanted = first;
    while (first < last && !entries[first]?.item) {
      top += entries[first]?.height ?? 0;
      first += 1;
    }
    let end = first;
    while (end < last && entries[end]?.item) end += 1;
    const hold = anchor();
    lay(first, end);
    element.style.paddingTop = `${top}px`;
    const rest = entries.slice(end).reduce((sum, entry) => sum + entry.height, 0);
    element.style.paddingBottom = `${rest}px`;
    measure(first, end);
    hold();
    entries.forEach((entry, index) => {
      if ((index < first - NEAR || index >= end + NEAR) && !entry.item?.element.isConnected) entry.item = null;
    });
    if (first > wanted) again(wanted, first);
    else if (end < last) again(end, last);
    if (to > element.offsetHeight - MARGIN) older();
  }

  /** Makes the document's rows these.
   * @param {number} first @param {number} end Places. */
  function lay(first, end) {
    const rows = entries.slice(first, end);
    const elements = new Set(rows.map((entry) => entry.item?.element));
    for (const child of [...element.children]) if (!elements.has(/** @type {HTMLLIElement} */ (child))) child.remove();
    rows.forEach(({ item }, index) => {
      if (item === null) return;
      const there = element.children[index] ?? null;
      if (there !== item.element) element.insertBefore(item.element, there);
      place(item, first + index);
    });
  }

  /** @param {number} first @param {number} end Places. */
  function measure(first, end) {
    let grown = 0;
    for (const entry of entries.slice(first, end)) {
      const height = entry.item?.element.offsetHeight ?? entry.height;
      grown += height - entry.height;
      entry.height = height;
    }
    // Smaller than thought: there is room for more.
    if (grown < -GUESS) drawSoon();
  }

  /** Remembers what is being read, and afterwards puts it back where it was: what comes on top must not push
   * the text away under the eyes. */
  function anchor() {
    const reads = element.getBoundingClientRect().top < 0;
    const rows = /** @type {HTMLCollectionOf<HTMLElement>} */ (element.children);
    const read = reads ? [...rows].find((row) => row.getBoundingClientRect().bottom > 0) : undefined;
    const before = read?.getBoundingClientRect().top ?? 0;
    return () => {
      if (read === undefined || !read.isConnected) return;
      const moved = read.getBoundingClientRect().top - before;
      if (moved !== 0) window.scrollBy({ top: moved, behavior: "instant" });
    };
  }

  return {
    start,
    add,
    about,
    remove,
    drop,
    draw,
    drawSoon,
    get phase() {
      return phase;
    },
    get cause() {
      return cause;
    },
    get length() {
      return entries.length;
    },
    /** All there are are listed. */
    get whole() {
      return ended;
    },
    /** It begins further down than with the newest. */
    get cut() {
      return ceiling !== null;
    },
    /** @param {number} row */
    item: (row) => entries.find((entry) => entry.row === row)?.item ?? null,
    /** The item so many places from this one, the nearest where there are not as many.
     * @param {number} row @param {number} step */
    beside(row, step) {
      const here = entries.findIndex((entry) => entry.row === row);
      const target = Math.max(0, Math.min(entries.length - 1, here + step));
      for (let place = target; place !== here && place >= 0 && place < entries.length; place -= Math.sign(step)) {
        const item = entries[place]?.item;
        if (item?.element.isConnected) return item;
      }
      return null;
    },
    /** Those that are in the document. */
    items: () => entries.flatMap(({ item }) => (item?.element.isConnected ? [item] : [])),
  };
}
