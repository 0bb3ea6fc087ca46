// Drawings of a channel's health: the band of its states and the plot of its round trips. Each has a text beside it
// that says the same.

import { svg } from "../base/dom.js";
import { hour } from "../base/time.js";
import { words } from "../words/words.js";

/** @typedef {import("../host/api").HealthReport} HealthReport */

/** Units of the drawings; they are stretched to the page's width, so texts stand outside of them. */
const WIDTH = 1000;
const BAND = 40;
const PLOT = 120;
const HOUR = 3_600_000;
/** Between two marks of the axis. */
const MARKS = 4 * HOUR;
/** What is narrower would not be seen. */
const THINNEST = 2.5;

/** How high a state stands: not only its colour tells it.
 * @type {Record<import("../host/api").StateName, number>} */
const HEIGHT = { connected: 1, connecting: 0.62, waiting: 0.62, replaced: 0.42, needs_user: 0.8, disconnected: 0.18 };
/** Trouble must not be hidden by what comes after it.
 * @type {import("../host/api").StateName[]} */
const ORDER = ["connected", "disconnected", "replaced", "connecting", "waiting", "needs_user"];

/** @param {HealthReport} report */
function scale(report) {
  const from = Date.parse(report.from);
  const span = Math.max(1, Date.parse(report.to) - from);
  return (/** @type {string | number} */ time) => ((typeof time === "number" ? time : Date.parse(time)) - from) / span * WIDTH;
}

/** The states as a band, left the oldest.
 * @param {HealthReport} report @param {Date} now */
export function bandOf(report, now) {
  const x = scale(report);
  const drawing = svg("svg", { class: "band", viewBox: `0 0 ${WIDTH} ${BAND}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const bands = [...report.bands].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  for (const band of bands) {
    const left = x(band.from);
    const height = HEIGHT[band.state] * BAND;
    const width = Math.max(THINNEST, x(band.to) - left);
    const rect = svg("rect", { x: left, y: BAND - height, width, height, "data-state": band.state });
    rect.append(svg("title", {}, words.bandLine(band, now)));
    drawing.append(rect);
  }
  return drawing;
}

/** The times below a drawing: full hours of the day, and where along the width they stand, from 0 to 1.
 * @param {HealthReport} report
 * @returns {{ text: string, at: number }[]} */
export function marks(report) {
  const x = scale(report);
  const first = new Date(report.from);
  first.setMinutes(0, 0, 0);
  const all = [];
  for (let time = first.getTime(); time <= Date.parse(report.to); time += HOUR) {
    const date = new Date(time);
    const place = x(time) / WIDTH;
    if (date.getHours() % (MARKS / HOUR) === 0 && place >= 0.02 && place <= 0.98) all.push({ text: hour(date), at: place });
  }
  return all;
}

/** The round trips as a line; where none were measured for long it is broken.
 * @param {HealthReport} report */
export function plotOf(report) {
  const x = scale(report);
  const most = top(report);
  const drawing = svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${PLOT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const part of [0, 0.5, 1]) {
    drawing.append(svg("line", { class: "grid-line", x1: 0, x2: WIDTH, y1: PLOT * part, y2: PLOT * part }));
  }
  const times = report.round_trips.map((trip) => Date.parse(trip.at));
  const gaps = times.slice(1).map((time, place) => time - (times[place] ?? time)).sort((a, b) => a - b);
  const usual = gaps[Math.floor(gaps.length / 2)] ?? 0;
  let path = "";
  report.round_trips.forEach((trip, place) => {
    const apart = place === 0 || (times[place] ?? 0) - (times[place - 1] ?? 0) > Math.max(usual * 6, HOUR / 4);
    // One that stands alone is a dot: a line of no length.
    path += `${apart ? "M" : "L"}${x(trip.at).toFixed(1)} ${(PLOT - trip.ms / most * PLOT).toFixed(1)}${apart ? "h0" : ""}`;
  });
  drawing.append(svg("path", { class: "line", d: path }));
  return drawing;
}

/** The upper end of the plot, in milliseconds: a round number.
 * @param {HealthReport} report */
export function top(report) {
  const most = Math.max(1, ...report.round_trips.map((trip) => trip.ms));
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * step).find((limit) => limit >= most) ?? most;
}
