// Quiet hours: rows of weekdays and two times of day, read from and written as the settings file has them.

import { make } from "../base/dom.js";
import { weekdays } from "../base/time.js";
import { rowsField, small } from "../forms/fields.js";
import { words } from "../words/words.js";

/** As the file names them. */
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Which days a text such as `mon-fri,sun` means; a range may go over the week's end.
 * @param {string} text */
function daysOf(text) {
  const on = DAYS.map(() => false);
  for (const part of text.toLowerCase().split(",")) {
    const [first = "", last = first] = part.split("-").map((day) => DAYS.indexOf(day.trim())).map(String);
    const [from, to] = [Number(first), Number(last)];
    if (from < 0 || to < 0) continue;
    for (let step = 0; step <= (to + 7 - from) % 7; step += 1) on[(from + step) % 7] = true;
  }
  return on;
}

/** The shortest text for these days; `undefined`: all of them, which needs none.
 * @param {boolean[]} on */
function daysText(on) {
  if (on.every(Boolean)) return undefined;
  const parts = [];
  for (let day = 0; day < 7; day += 1) {
    if (!on[day]) continue;
    let last = day;
    while (last < 6 && on[last + 1]) last += 1;
    if (last === day) parts.push(DAYS[day]);
    else if (last === day + 1) parts.push(DAYS[day], DAYS[last]);
    else parts.push(`${DAYS[day]}-${DAYS[last]}`);
    day = last;
  }
  return parts.join(",");
}

/** @returns {import("../forms/fields.js").Field} */
export function quietHoursField() {
  return rowsField("notifications.quiet_hours", words.quietHours, {
    hint: words.quietHoursHint,
    add: words.addQuietHours,
    remove: words.remove,
    fresh: () => /** @type {Record<string, string>} */ ({ days: "mon-fri", from: "22:00", to: "07:00" }),
    row(item) {
      const on = daysOf(item.days ?? "mon-sun");
      const boxes = weekdays().map(({ short, long }, day) => {
        const box = make("input", { type: "checkbox", checked: on[day] ?? false, ariaLabel: long });
        return { box, element: make("label", { className: "day" }, box, make("span", { ariaHidden: "true" }, short)) };
      });
      const from = make("input", { type: "time", value: item.from ?? "", required: true });
      const to = make("input", { type: "time", value: item.to ?? "", required: true });
      const days = make("div", { className: "days", role: "group", ariaLabel: words.days }, ...boxes.map(({ element }) => element));
      return {
        element: make("div", { className: "row" }, days, make("div", { className: "times" }, small(words.from, from), small(words.to, to))),
        read() {
          const text = daysText(boxes.map(({ box }) => box.checked));
          const times = { from: from.value, to: to.value };
          return text === undefined ? times : { days: text, ...times };
        },
      };
    },
    items: (value) => value ?? [],
    value: (items) => (items.length === 0 ? undefined : items),
  });
}
