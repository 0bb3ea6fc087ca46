// The page of the channels' health: one channel's last day at a glance, and why its links ended.

import { bandOf, marks, plotOf, top } from "./chart.js";
import { health as placeOf, SHAPES } from "./channel-row.js";
import { copy, sayCopied } from "./clipboard.js";
import { anchor, button, emptyState, foreign, make, pageHead, pressing, shape } from "./dom.js";
import { code, reason } from "./host.js";
import { shown } from "./text.js";
import { words } from "./words.js";

/** @typedef {import("./app").App} App */
/** @typedef {import("./api").HealthReport} HealthReport */
/** @typedef {import("./api").ChannelReport} ChannelReport */

/** While it is looked at it is asked for anew, in milliseconds. */
const AGAIN = 30_000;
/** Links that are listed, the newest. */
const LINKS = 50;
const NAME = 60;
const CAUSE = 300;

/** @param {App} app
 * @returns {import("./app").PageView} */
export function healthPage(app) {
  const tabs = make("nav", { className: "chips", ariaLabel: words.channels });
  const body = make("div", { className: "health" });
  const copies = pressing(words.copyDiagnostics, copyDiagnostics);
  const dialog = diagnosticsDialog();
  const element = make("div", { className: "page" }, pageHead(words.health, make("div", { className: "buttons" }, copies)), tabs, body, dialog.element);
  /** @type {string} */
  let wanted = "";
  /** @type {HealthReport | null} */
  let health = null;
  let trouble = "";
  let loads = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let lastState = "";

  const channel = () => {
    const all = app.report()?.channels ?? [];
    return all.find((known) => known.id === wanted) ?? (wanted === "" ? all[0] : undefined);
  };

  async function load() {
    const asked = channel();
    if (asked === undefined || !app.there()) return update();
    loads += 1;
    const mine = loads;
    try {
      const answer = await app.host.health(asked.id);
      if (mine !== loads) return;
      health = answer;
      trouble = "";
    } catch (error) {
      if (mine !== loads) return;
      trouble = code(error) === "agent_gone" ? "" : reason(error);
    }
    draw();
  }

  async function copyDiagnostics() {
    try {
      const text = app.host.diagnostics();
      if (await copy(text)) sayCopied(copies);
      else dialog.open(await text);
    } catch (error) {
      app.failed(error);
    }
  }

  function update() {
    const all = app.report()?.channels ?? [];
    const current = channel();
    tabs.hidden = all.length < 2;
    tabs.replaceChildren(...all.map((one) => {
      const tab = anchor("", placeOf(one.id), "chip");
      const state = app.there() ? SHAPES[one.state] : "off";
      tab.dataset.shape = state;
      tab.append(make("span", { className: "state" }, shape(state)), foreign("span", shown(one.name, NAME)));
      if (one === current) tab.setAttribute("aria-current", "page");
      return tab;
    }));
    // Another state is worth another look.
    const state = `${current?.id} ${current?.state} ${app.there()}`;
    if (state !== lastState && element.isConnected) {
      lastState = state;
      load();
    } else draw();
  }

  let drawn = "";
  function draw() {
    const current = channel();
    const report = health?.channel === current?.id ? health : null;
    const now = new Date();
    // Drawn again only when it says something else: a table that is being read must not be made anew.
    const state = current === undefined ? "" : app.there() ? words.state(current, now) : words.stateUnknown;
    const says = JSON.stringify([current?.id, state, report, trouble, current?.rtt_ms, current?.idle_limit, current?.last_inbound]);
    if (says === drawn) return;
    drawn = says;
    if (current === undefined) {
      body.replaceChildren(emptyState(words.noHealth, make("p", {}, words.noHealthText)));
    } else if (report === null) {
      const text = trouble === "" ? make("p", {}, words.looking) : foreign("p", shown(trouble, CAUSE));
      body.replaceChildren(...(trouble === "" ? [] : [emptyState(words.healthFailed, text, button(words.tryAgain, load))]));
    } else {
      body.replaceChildren(...parts(current, state, report, now));
    }
  }

  return {
    element,
    show(rest) {
      wanted = rest;
      health = health?.channel === rest ? health : null;
      lastState = "";
      update();
      clearInterval(timer);
      timer = setInterval(() => document.hidden || load(), AGAIN);
    },
    leave: () => clearInterval(timer),
    update,
    arrived: () => {
      if (element.isConnected) load();
    },
  };
}

/** @param {ChannelReport} channel @param {string} state @param {HealthReport} report @param {Date} now */
function parts(channel, state, report, now) {
  const links = report.links.slice(-LINKS).reverse();
  const fallen = links.find((link) => link.ended !== null);
  const story = make("div", { className: "story card" });
  const icon = make("span", { className: "state-icon" }, shape(SHAPES[channel.state]));
  story.dataset.shape = SHAPES[channel.state];
  const text = make("div", {}, foreign("p", shown(state, CAUSE), "now"));
  text.append(foreign("p", fallen === undefined ? words.neverFell : words.fell(fallen, now), "quiet fell"));
  story.append(icon, text);
  return [story, facts(channel, report, now), states(report, now), trips(report), linkTable(links, now)];
}

/** @param {ChannelReport} channel @param {HealthReport} report @param {Date} now */
function facts(channel, report, now) {
  const list = make("dl", { className: "figures" });
  /** @param {string} name @param {string} value @param {string | null} [more] */
  const fact = (name, value, more = null) => {
    const told = more === null ? [] : [foreign("dd", shown(more, NAME), "quiet")];
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value), ...told));
  };
  const span = report.bands.reduce((sum, band) => sum + length(band), 0);
  const up = report.bands.filter((band) => band.state === "connected").reduce((sum, band) => sum + length(band), 0);
  fact(words.uptime, span === 0 ? "–" : words.percent(up / span));
  fact(words.roundTrip, channel.rtt_ms === null ? "–" : words.milliseconds({ ms: Math.round(channel.rtt_ms) }));
  if (channel.idle_limit !== null) {
    const { after_s, kept_awake_s } = channel.idle_limit;
    fact(words.silenceEndured, words.seconds({ count: Math.round(after_s) }), words.keptAwake({ count: Math.round(kept_awake_s) }));
  }
  fact(words.lastHeard, channel.last_inbound === null ? "–" : words.clock(channel.last_inbound, now));
  fact(words.lastHeartbeat, report.last_heartbeat === null ? "–" : words.clock(report.last_heartbeat, now));
  fact(words.reconnects, words.number(Math.max(0, report.links.length - 1)));
  if (channel.last_close === null) fact(words.lastClose, "–");
  else fact(words.lastClose, String(channel.last_close.code), words.closeOf(channel.last_close));
  // Only where there is something to tell.
  const { repeated, ignored } = channel.dropped ?? { repeated: 0, ignored: 0 };
  if (repeated > 0) fact(words.sentAgain, words.number(repeated));
  if (ignored > 0) fact(words.noise, words.number(ignored));
  return list;
}

/** @param {import("./api").Band} band */
const length = (band) => Math.max(0, Date.parse(band.to) - Date.parse(band.from));

/** @param {HealthReport} report @param {Date} now */
function states(report, now) {
  const present = [...new Set(report.bands.map((band) => band.state))];
  const legend = make("ul", { className: "legend" }, ...present.map((state) => {
    const key = make("span", { className: "key" });
    key.dataset.state = state;
    return make("li", {}, key, words.stateName(state));
  }));
  const table = make("details", {}, make("summary", {}, words.asTable));
  const lines = [...report.bands].reverse().map((band) => foreign("p", shown(words.bandLine(band, now), CAUSE)));
  table.append(make("div", { className: "band-lines", tabIndex: 0, role: "region", ariaLabel: words.lastDay }, ...lines));
  return make("section", { className: "card group" }, make("h2", {}, words.lastDay), make("div", { className: "chart" }, bandOf(report, now), axis(report)), legend, table);
}

/** @param {HealthReport} report */
function axis(report) {
  const element = make("div", { className: "axis", ariaHidden: "true" });
  for (const { text, at } of marks(report)) {
    const mark = make("span", {}, text);
    mark.style.left = `${(at * 100).toFixed(2)}%`;
    element.append(mark);
  }
  return element;
}

/** @param {HealthReport} report */
function trips(report) {
  const section = make("section", { className: "card group" }, make("h2", {}, words.roundTrips));
  if (report.round_trips.length === 0) {
    section.append(make("p", { className: "quiet" }, words.noRoundTrips));
    return section;
  }
  const sorted = report.round_trips.map((trip) => trip.ms).sort((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ms) => Math.round(ms ?? 0));
  const limit = top(report);
  const scale = make("div", { className: "scale", ariaHidden: "true" }, make("span", {}, words.milliseconds({ ms: limit })), make("span", {}, "0"));
  section.append(
    make("p", { className: "quiet" }, words.roundTripsText({ least: least ?? 0, median: middle ?? 0, most: most ?? 0 })),
    make("div", { className: "chart with-scale" }, scale, plotOf(report), axis(report)),
  );
  return section;
}

/** @param {import("./api").LinkReport[]} links @param {Date} now */
function linkTable(links, now) {
  const section = make("section", { className: "card group" }, make("h2", {}, words.links));
  if (links.length === 0) {
    section.append(make("p", { className: "quiet" }, words.noLinks));
    return section;
  }
  const names = [words.linkOpened, words.linkLasted, words.linkEnded, words.linkBack];
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const rows = links.map((link) => make(
    "tr",
    {},
    make("td", {}, words.clock(link.opened, now, true)),
    make("td", {}, words.duration(Date.parse(link.ended ?? now.toISOString()) - Date.parse(link.opened))),
    link.ended === null ? make("td", {}, words.linkUp) : foreign("td", shown(words.causeOf(link), CAUSE)),
    make("td", {}, link.back === null || link.ended === null ? "–" : words.backIn({ time: words.duration(Date.parse(link.back) - Date.parse(link.ended)) })),
  ));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  const scroller = make("div", { className: "table", tabIndex: 0, role: "region", ariaLabel: words.links }, table);
  section.append(scroller);
  return section;
}

/** Where the desktop lets nothing be copied. */
function diagnosticsDialog() {
  const area = make("textarea", { readOnly: true, rows: 14, ariaLabel: words.diagnosticsTitle });
  const element = make("dialog", { id: "diagnostics-text" });
  const title = make("h2", { id: "diagnostics-title" }, words.diagnosticsTitle);
  element.setAttribute("aria-labelledby", title.id);
  element.append(title, make("p", { className: "quiet" }, words.diagnosticsHint), area, button(words.close, () => element.close()));
  return {
    element,
    /** @param {string} text */
    open(text) {
      area.value = text;
      element.showModal();
      area.select();
    },
  };
}
