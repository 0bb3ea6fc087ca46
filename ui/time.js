// Times as a person in the local time zone reads them.

const month = new Intl.DateTimeFormat("en-US", { month: "short" });
const long = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});

/** @param {number} part */
const two = (part) => String(part).padStart(2, "0");

/** @param {Date} a @param {Date} b */
function sameDay(a, b) {
  return a.toDateString() === b.toDateString();
}

/** @param {Date} time @param {boolean} seconds */
function timeOfDay(time, seconds) {
  return `${two(time.getHours())}:${two(time.getMinutes())}${seconds ? `:${two(time.getSeconds())}` : ""}`;
}

/** @param {Date} time */
const date = (time) => `${time.getDate()} ${month.format(time)}`;

/** A time of day; with its date when that is not today's. As the tray's menu has it.
 * @param {string} text RFC 3339
 * @param {Date} now
 * @param {boolean} [seconds] */
export function clock(text, now, seconds = false) {
  const time = new Date(text);
  return sameDay(time, now) ? timeOfDay(time, seconds) : `${date(time)} ${timeOfDay(time, seconds)}`;
}

/** When a message came: today the time of day, else the date, with its year when that is not this one.
 * @param {string} text RFC 3339
 * @param {Date} now */
export function day(text, now) {
  const time = new Date(text);
  if (sameDay(time, now)) return timeOfDay(time, false);
  return time.getFullYear() === now.getFullYear() ? date(time) : `${date(time)} ${time.getFullYear()}`;
}

/** All of it, for the details.
 * @param {string} text RFC 3339 */
export function full(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : long.format(time);
}

/** Milliseconds until what "today" means changes.
 * @param {Date} now */
export function untilMidnight(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime();
}
