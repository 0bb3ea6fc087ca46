// What is told of one channel's health: how it is now, figures, its states of the last day, its round trips, and its
// links.

import { foreign, make, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { SHAPES } from "../parts/channel-row.js";
import { words } from "../words/words.js";
import { bandOf, marks, plotOf, top } from "./chart.js";

/** @typedef {import("../host/api").HealthReport} HealthReport */
/** @typedef {import("../host/api").ChannelReport} ChannelReport */

/** Links that are listed, the newest. */
const LINKS = 50;
/** A name is cut to this many characters. */
const NAME = 60;
const CAUSE = 300;

/** @param {ChannelReport} channel @param {string} state @param {HealthReport} report @param {Date} now */
export function sections(channel, state, report, now) {
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
    const told = more === null ? [] : [foreign("dd", shown(more, CAUSE), "quiet")];
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
  const life = channel.session?.life_s ?? null;
  if (life !== null) fact(words.sessionLife, words.aboutMinutes({ count: Math.max(1, Math.round(life / 60)) }));
  fact(words.lastHeard, channel.last_inbound === null ? "–" : words.clock(channel.last_inbound, now));
  fact(words.lastHeartbeat, report.last_heartbeat === null ? "–" : words.clock(report.last_heartbeat, now));
  fact(words.reconnects, words.number(Math.max(0, report.links.length - 1)));
  if (channel.last_close === null) fact(words.lastClose, "–");
  else fact(words.lastClose, String(channel.last_close.code), words.closeOf(channel.last_close));
  // Only where there is something to tell.
  const { repeated, ignored } = channel.dropped ?? { repeated: 0, ignored: 0 };
  if (repeated > 0) fact(words.sentAgain, words.number(repeated));
  if (ignored > 0) fact(words.noise, words.number(ignored));
  if (channel.carrier !== undefined) {
    fact(words.carriedBy, words.carried(channel.carrier), channel.instead_of === undefined ? null : words.whyInstead(channel.instead_of));
    list.lastElementChild?.classList.add("wide");
  }
  return list;
}

/** @param {import("../host/api").Band} band */
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

/** @param {import("../host/api").LinkReport[]} links @param {Date} now */
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
