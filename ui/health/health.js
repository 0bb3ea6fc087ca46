// The page of the channels' health: one channel's last day at a glance, and why its links ended.

import { anchor, button, emptyState, foreign, make, pageHead, pressing, shape } from "../base/dom.js";
import { shown } from "../base/text.js";
import { code, reason } from "../host/errors.js";
import { health as placeOf, SHAPES } from "../parts/channel-row.js";
import { copy, sayCopied } from "../parts/clipboard.js";
import { words } from "../words/words.js";
import { sections } from "./sections.js";

/** @typedef {import("../app").App} App */
/** @typedef {import("../host/api").HealthReport} HealthReport */

/** While it is looked at it is asked for anew, in milliseconds. */
const AGAIN = 30_000;
const NAME = 60;
const CAUSE = 300;

/** @param {App} app
 * @returns {import("../app").PageView} */
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
    const says = JSON.stringify([current?.id, state, report, trouble, current?.rtt_ms, current?.idle_limit, current?.carrier, current?.instead_of, current?.last_inbound]);
    if (says === drawn) return;
    drawn = says;
    if (current === undefined) {
      body.replaceChildren(emptyState(words.noHealth, make("p", {}, words.noHealthText)));
    } else if (report === null) {
      const text = trouble === "" ? make("p", {}, words.looking) : foreign("p", shown(trouble, CAUSE));
      body.replaceChildren(...(trouble === "" ? [] : [emptyState(words.healthFailed, text, button(words.tryAgain, load))]));
    } else {
      body.replaceChildren(...sections(current, state, report, now));
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
