// The page of the settings that are no channel's. Each change is written at once, so that there is nothing to save.

import { emptyState, foreign, make, pageHead, pressing, button } from "../base/dom.js";
import { shown } from "../base/text.js";
import { at, same } from "../base/values.js";
import { choiceField, fieldOf, switchField, textField } from "../forms/fields.js";
import { grid, section } from "../forms/section.js";
import { code, reason } from "../host/errors.js";
import { edit, read } from "../host/settings-file.js";
import { copyButton } from "../parts/clipboard.js";
import { toast } from "../parts/toast.js";
import { words } from "../words/words.js";
import { quietHoursField } from "./quiet-hours.js";

/** @typedef {import("../app").App} App */
/** @typedef {import("../forms/fields.js").Field} Field */
/** @typedef {import("../host/api").SettingsReport} SettingsReport */

/** @param {App} app
 * @returns {import("../app").PageView} */
export function settingsPage(app) {
  const body = make("div", { className: "settings" });
  // There whatever the settings are like.
  const end = section(words.quitTitle, words.quitText, pressing(words.quit, () => app.act({ do: "quit" })));
  const element = make("div", { className: "page" }, pageHead(words.settings), body, end);
  /** @type {{ rebase: (report: SettingsReport) => void } | null} */
  let form = null;
  let loads = 0;

  async function load() {
    loads += 1;
    const mine = loads;
    try {
      const report = await read();
      if (mine !== loads) return;
      if (report.error !== null) {
        form = null;
        body.replaceChildren(brokenFile(app, report));
      } else if (form !== null) form.rebase(report);
      else {
        const made = settingsForm(app, report);
        form = made;
        body.replaceChildren(made.element);
      }
    } catch (error) {
      if (mine !== loads || form !== null) return;
      body.replaceChildren(emptyState(words.settingsFailed, foreign("p", reason(error)), button(words.tryAgain, load)));
    }
  }

  return {
    element,
    show: load,
    update() {},
    arrived() {
      if (element.isConnected) load();
    },
  };
}

/** @param {App} app @param {SettingsReport} report */
function brokenFile(app, report) {
  const text = make("p", {}, words.fileWrong({ file: report.file }));
  return emptyState(
    words.fileWrongTitle, text, foreign("p", shown(report.error ?? "", 1000), "code-text"),
    copyButton(words.copyPath, () => report.file, app.failed),
  );
}

/** @param {App} app @param {SettingsReport} first */
function settingsForm(app, first) {
  let report = first;
  const general = [
    choiceField("language", words.language, [["auto", words.languageAuto], ["en", "English"], ["zh-CN", "简体中文"]]),
    choiceField("theme", words.theme, [["auto", words.themeAuto], ["light", words.themeLight], ["dark", words.themeDark]]),
    switchField("start_at_login", words.startAtLogin, words.startAtLoginHint),
  ];
  const popups = [
    textField("notifications.burst", words.burst, { kind: "number", least: 1, hint: words.burstHint }),
    textField("notifications.refill", words.refill, { hint: words.refillHint }),
    textField("notifications.down_after", words.downAfter, { hint: words.downAfterHint }),
  ];
  const quiet = [quietHoursField(), switchField("notifications.critical_breaks_quiet", words.criticalBreaks, words.criticalBreaksHint)];
  const kept = [
    textField("inbox.keep_days", words.keepDays, { kind: "number", least: 1 }),
    textField("inbox.keep_messages", words.keepMessages, { kind: "number", least: 1, hint: words.keepHint }),
  ];
  const fields = [...general, ...popups, ...quiet, ...kept];
  const path = foreign("p", report.file, "code-text");
  const loginTrouble = foreign("p", "", "hint");
  const tellLogin = () => {
    loginTrouble.textContent = report.login_trouble ?? "";
    loginTrouble.hidden = report.login_trouble === null;
  };
  const form = make(
    "form",
    { noValidate: true },
    section(words.general, null, grid(general), loginTrouble),
    section(words.notifications, null, grid(popups), grid(quiet)),
    section(words.inbox, null, grid(kept)),
    section(words.settingsFileTitle, words.settingsFileText, path, copyButton(words.copyPath, () => report.file, app.failed)),
  );

  for (const field of fields) field.show(report.values, report.defaults.values);
  tellLogin();

  /** @param {Field} field */
  async function save(field) {
    const value = field.read() ?? null;
    if (same(value ?? undefined, at(report.values, field.key))) {
      field.fail(null);
      return;
    }
    const change = /** @type {const} */ ({ edit: "set", channel: null, key: field.key, value });
    try {
      rebase(await edit([change]));
      field.fail(null);
    } catch (error) {
      if (code(error) === "settings_changed") {
        rebase(await read());
        field.show(report.values, report.defaults.values);
        toast(words.changedElsewhereReloaded);
        return;
      }
      const key = /** @type {import("../host/api").PageError} */ (error).key ?? null;
      const place = key === null ? field : (fieldOf(fields, key) ?? field);
      if (code(error) === "agent_gone") app.failed(error);
      else place.fail(shown(reason(error), 500));
    }
  }

  form.addEventListener("change", (event) => {
    const touched = event.target instanceof Element ? event.target.closest("[data-key]") : null;
    const field = fields.find((one) => one.element === touched);
    if (field !== undefined) save(field);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (document.activeElement instanceof HTMLInputElement) document.activeElement.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /** The file was read again.
   * @param {SettingsReport} now */
  function rebase(now) {
    const before = report;
    report = now;
    tellLogin();
    for (const field of fields) {
      if (field.element.contains(document.activeElement) && field.element.querySelector("input[type=text], input[type=number]")) continue;
      if (!same(at(before.values, field.key), at(now.values, field.key))) field.show(now.values, now.defaults.values);
    }
  }
  return { element: form, rebase };
}
