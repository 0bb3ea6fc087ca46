// The second host's health of a channel: a day with a restart, a lost link and another tab, always the same.

/** @typedef {import("../api").HealthReport} HealthReport */
/** @typedef {import("../api").Band} Band */
/** @typedef {import("../api").ChannelReport} ChannelReport */

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** Minutes before the last of them was over, how long, what and why.
 * @type {[number, number, import("../api").StateName, string | null, number | null][]} */
const TROUBLE = [
  [1193, 4, "waiting", "no answer to a ping for 15 s", null],
  [808, 0.05, "waiting", "server restarting (1012)", 1012],
  [543, 38, "replaced", null, 4500],
  [334, 9, "waiting", "network is unreachable", null],
  [0.05, 0.05, "waiting", "server restarting (1012)", 1012],
];

/** What the agent would say in Chinese.
 * @type {Record<string, string>} */
const CHINESE = {
  "no answer to a ping for 15 s": "15 秒内没有应答 ping",
  "server restarting (1012)": "服务器正在重启（1012）",
  "network is unreachable": "网络不可达",
  "another instance took over (4500)": "已被其他标签页或设备接管（4500）",
};

/** @param {ChannelReport} channel @param {string} language
 * @returns {HealthReport} */
export function healthOf(channel, language) {
  /** @param {string} cause */
  const said = (cause) => (language === "zh-CN" ? (CHINESE[cause] ?? cause) : cause);
  const to = Date.now();
  /** @param {number} time */
  const text = (time) => new Date(time).toISOString();
  /** @type {Band[]} */
  const bands = [];
  const links = [];
  let at = to - DAY;
  const up = Math.min(to, Date.parse(channel.since));
  for (const [before, minutes, state, cause, code] of TROUBLE) {
    const begin = up - before * MINUTE;
    if (begin < at) continue;
    const back = begin + minutes * MINUTE;
    bands.push({ from: text(at), to: text(begin), state: "connected", cause: null });
    bands.push({ from: text(begin), to: text(back), state, cause: cause === null ? null : said(cause) });
    links.push({ opened: text(at), ended: text(begin), cause: said(cause ?? "another instance took over (4500)"), code, back: text(back) });
    at = back;
  }
  bands.push({ from: text(at), to: text(to), state: "connected", cause: null });
  links.push({ opened: text(at), ended: null, cause: null, code: null, back: null });
  if (channel.state !== "connected") {
    const last = /** @type {Band} */ (bands.at(-1));
    const begin = text(to - 12 * MINUTE);
    last.to = begin;
    bands.push({ from: begin, to: text(to), state: channel.state, cause: channel.cause });
  }
  const round_trips = [];
  for (let minute = 1435; minute >= 0; minute -= 6) {
    const time = to - minute * MINUTE;
    const down = bands.some((band) => band.state !== "connected" && Date.parse(band.from) <= time && time <= Date.parse(band.to));
    const noise = Math.abs(Math.sin(minute * 12.9898) * 43758.5453 % 1);
    const busy = minute > 560 && minute < 900 ? 14 : 0;
    if (!down) round_trips.push({ at: text(time), ms: 19 + noise * 9 + busy * noise + (minute % 222 === 1 ? 47 : 0) });
  }
  return { channel: channel.id, from: text(to - DAY), to: text(to), bands, round_trips, links, last_heartbeat: text(to - 0.7 * MINUTE) };
}
