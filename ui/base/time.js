// Times as a person in the local time zone reads them.

/** @type {(time: Date) => string} The date without its year. */
let date;
/** @type {(time: Date) => string} The date with its year. */
let dateOfYear;
/** @type {Intl.DateTimeFormat} */
let long;
let locale = "en";

/** How dates are written from now on.
 * @param {string} language BCP 47 */
export function timesIn(language) {
  locale = language === "en" ? "en-GB" : language;
  long = new Intl.DateTimeFormat(locale, {
    weekday: "long", day: "numeric", month: "long", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
  });
  if (language === "en") {
    // As the tray's menu: 28 Feb. The locales of English have it another way round, or call September "Sept".
    const month = new Intl.DateTimeFormat("en-US", { month: "short" });
    date = (time) => `${time.getDate()} ${month.format(time)}`;
    dateOfYear = (time) => `${date(time)} ${time.getFullYear()}`;
  } else {
    date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }).format;
    dateOfYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" }).format;
  }
}

timesIn("en");

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
  return time.getFullYear() === now.getFullYear() ? date(time) : dateOfYear(time);
}

/** All of it, for the details.
 * @param {string} text RFC 3339 */
export function full(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : long.format(time);
}

/** The hour, for an axis.
 * @param {Date} time */
export const hour = (time) => timeOfDay(time, false);

/** The days of the week from Monday on. */
export function weekdays() {
  const short = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
  // 1 January 2024 was a Monday.
  return [1, 2, 3, 4, 5, 6, 7].map((day) => {
    const date = Date.UTC(2024, 0, day);
    return { short: short.format(date), long: long.format(date) };
  });
}

/** How long something took: 0.4 s, 3 s, 2 min 5 s, 3 h 12 min.
 * @param {number} milliseconds
 * @param {object} texts
 * @param {(variables: { count: number }) => string} texts.seconds
 * @param {(variables: { count: number }) => string} texts.wholeMinutes
 * @param {(variables: { minutes: number, seconds: number }) => string} texts.minutes
 * @param {(variables: { hours: number, minutes: number }) => string} texts.hours */
export function inWords(milliseconds, { seconds, wholeMinutes, minutes, hours }) {
  const count = Math.max(0, milliseconds) / 1000;
  if (count < 9.95) return seconds({ count: Math.round(count * 10) / 10 });
  const whole = Math.round(count);
  if (whole < 60) return seconds({ count: whole });
  if (whole < 3600 && whole % 60 === 0) return wholeMinutes({ count: whole / 60 });
  if (whole < 3600) return minutes({ minutes: Math.floor(whole / 60), seconds: whole % 60 });
  return hours({ hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
}

/** Milliseconds until what "today" means changes.
 * @param {Date} now */
export function untilMidnight(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime();
}
