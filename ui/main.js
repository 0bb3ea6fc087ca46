// Joins the parts: what the host tells goes to the section that shows it, what the user does goes to the host.

import { banners } from "./banners.js";
import { channelSection } from "./channels.js";
import { copy, sayCopied } from "./clipboard.js";
import { byId } from "./dom.js";
import * as host from "./host.js";
import { messageSection } from "./messages.js";
import { untilMidnight } from "./time.js";
import { said, speak, words } from "./words.js";

/** @typedef {import("./api").PageEvent} PageEvent */
/** @typedef {import("./api").StatusReport} StatusReport */

/** A timer is not set for longer, since it stands still while the machine sleeps. In milliseconds. */
const LOOK_AT_CLOCK = 600_000;

/** @type {import("./api").AgentLink | null} */
let agent = null;
/** @type {StatusReport | null} */
let report = null;
/** @type {string | null} */
let failure = null;
/** The agent came (back) and its first snapshot has not been seen yet. */
let fresh = false;

const top = banners({ restart: () => act({ do: "restart_agent" }), dismiss: () => failed(null) });
const channels = channelSection({
  act: (action, channel) => act({ do: "channel", action, channel }),
  failed,
});
const messages = messageSection({
  history: host.history,
  openLink: (message) => act({ do: "open_link", message }),
  markRead: (message) => act({ do: "mark_read", messages: [message] }),
  failed,
});
const looking = byId("looking", HTMLParagraphElement);
said(() => (looking.textContent = words.looking));

/** @param {import("./api").PageCommand} command */
async function act(command) {
  try {
    await host.act(command);
    failed(null);
  } catch (error) {
    failed(error);
  }
}

/** @param {unknown} error `null`: all is well (again). */
function failed(error) {
  // A gone agent has its own banner.
  const told = error === null || (host.code(error) === "agent_gone" && agent?.type === "agent_gone");
  failure = told ? null : host.reason(error);
  drawTop();
}

function drawTop() {
  const there = agent?.type === "agent_connected";
  top.show({ agent, notices: there ? (report?.notices ?? []) : [], failure });
}

function draw() {
  const there = agent?.type === "agent_connected";
  const all = report?.channels ?? [];
  looking.hidden = agent !== null;
  drawTop();
  channels.show(report, there);
  const linked = there && all.some((channel) => channel.state === "connected");
  messages.about(linked ? "linked" : all.length > 0 || !there ? "unlinked" : "none", all.length > 1);
  byId("version", HTMLSpanElement).textContent = report === null ? "" : words.version({ version: report.version });
}

/** @param {PageEvent} event */
function heard(event) {
  switch (event.type) {
    case "agent_connected":
      agent = event;
      fresh = true;
      failure = null;
      break;
    case "agent_gone":
      agent = event;
      fresh = false;
      break;
    case "snapshot":
      report = event;
      if (speak(event.language)) messages.say();
      if (fresh) messages.load();
      fresh = false;
      break;
    case "state":
      if (report === null) break;
      report = {
        ...report,
        channels: report.channels.map((channel) => (channel.id === event.id ? event : channel)),
      };
      break;
    case "message":
      messages.add(event);
      return;
    case "raise":
      if (event.message !== null) messages.show(event.message);
      return;
  }
  draw();
}

/** What "today" means has changed, or may have. */
function redate() {
  draw();
  messages.draw();
}

function watchClock() {
  setTimeout(() => {
    redate();
    watchClock();
  }, Math.min(LOOK_AT_CLOCK, untilMidnight(new Date()) + 50));
}

function wireDiagnostics() {
  const dialog = byId("diagnostics-text", HTMLDialogElement);
  const area = byId("diagnostics-area", HTMLTextAreaElement);
  const pressed = byId("diagnostics", HTMLButtonElement);
  said(() => {
    byId("diagnostics-title", HTMLHeadingElement).textContent = words.diagnosticsTitle;
    byId("diagnostics-hint", HTMLParagraphElement).textContent = words.diagnosticsHint;
    byId("diagnostics-close", HTMLButtonElement).textContent = words.close;
    pressed.textContent = words.copyDiagnostics;
    area.ariaLabel = words.diagnosticsTitle;
  });
  pressed.onclick = async () => {
    try {
      const text = await host.diagnostics();
      if (await copy(text)) {
        sayCopied(pressed);
        return;
      }
      area.value = text;
      dialog.showModal();
      area.select();
    } catch (error) {
      failed(error);
    }
  };
}

wireDiagnostics();
watchClock();
document.addEventListener("visibilitychange", () => document.hidden || redate());
host.subscribe(heard).catch(failed);
