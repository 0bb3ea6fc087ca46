// The form of one channel's settings. What is typed stays as a draft, also while another page is looked at, when the
// file is changed meanwhile, and when the language changes.

import { addressOf } from "../base/address.js";
import { anchor, button, make, pageHead, pressing, write } from "../base/dom.js";
import { shown } from "../base/text.js";
import { at, put, same } from "../base/values.js";
import { fieldOf } from "../forms/fields.js";
import { grid, grids, section } from "../forms/section.js";
import { code, reason } from "../host/errors.js";
import { edit } from "../host/settings-file.js";
import { health, sender } from "../parts/channel-row.js";
import { toast } from "../parts/toast.js";
import { words } from "../words/words.js";
import { channelFields } from "./channel-fields.js";
import { discoverySection } from "./discovery.js";
import { EXAMPLES, fitting, isBroker, kindOf, saysSecret } from "./kind.js";
import { previewSection } from "./preview.js";
import { signIn } from "./sign-in.js";
import { trialSection } from "./trial.js";

/** @typedef {import("../app").App} App */
/** @typedef {import("../base/values.js").Values} Values */
/** @typedef {import("../host/api").SettingsReport} SettingsReport */
/** @typedef {import("../host/api").PageError} PageError */

/** What was typed and not saved.
 * @typedef {object} Draft
 * @property {Values} values
 * @property {Values} original What stood in the file.
 * @property {string} revision Of the reading that `original` is from. */

/** By id; that of a new channel by the empty text.
 * @type {Map<string, Draft>} */
const drafts = new Map();

/** A channel's name is cut to this many characters. */
export const NAME = 80;
/** Those by which a message is read. */
const READING = ["format", "mapping", "rule", "ignore", "ignore_when", "kind", "preset", "dialogue"];

/** Begins a new channel with this address, in place of one that was begun.
 * @param {string} address */
export function begin(address) {
  drafts.set("", { values: { url: address }, original: {}, revision: "" });
}

/** Whether its settings are being edited.
 * @param {string} id */
export const isBegun = (id) => drafts.has(id);

/** @param {App} app @param {string} id @param {SettingsReport} first @param {() => Promise<void>} reload */
export function editorForm(app, id, first, reload) {
  let report = first;
  const fresh = id === "";
  const inFile = () => report.channels.find((channel) => channel.id === id);
  const draft = drafts.get(id) ?? begun();
  // Of a begun one it isn't known yet.
  if (draft.revision === "") draft.revision = report.revision;
  drafts.set(id, draft);

  /** @returns {Draft} */
  function begun() {
    const values = inFile()?.values ?? {};
    return { values: structuredClone(values), original: values, revision: report.revision };
  }

  const parts = channelFields(fresh, report.presets ?? []);
  const sign = signIn({
    typed: () => changed(),
    async forget() {
      if (!(await app.act({ do: "set_secret", channel: id, secret: null }))) return;
      sign.forgotten();
      await reload();
    },
    signIn: fresh ? null : () => app.act({ do: "sign_in", channel: id }),
  });
  const fields = [...parts.basics, ...sign.fields, ...parts.kinds.dialogue, ...parts.messages, ...parts.mapping, ...parts.advanced];
  const keys = fields.map((field) => field.key);
  const trial = trialSection({ test: app.host.test, trial: () => ({ channel: fresh ? null : id, values: fitting(draft.values), secret: sign.secret }), problem: failed });
  /** Those whose error is the preview's.
   * @type {import("../forms/fields.js").Field | undefined} */
  let previewed;
  const discovery = fresh ? discoverySection({ discover: app.host.discover, values: () => draft.values, proposed: fill, problem: failed }) : null;
  const preview = previewSection({
    preview: app.host.preview,
    stands: () => ({ channel: fresh ? null : id, values: fitting(draft.values) }),
    problem(error) {
      previewed?.fail(null);
      const key = error?.key ?? "";
      previewed = READING.includes(key.split(/[.[]/)[0] ?? "") ? fieldOf(fields, key) : undefined;
      previewed?.fail(error?.message ?? null, key);
    },
  });

  const basics = grid(parts.basics);
  if (discovery !== null) basics.children[0]?.after(discovery.element);
  const save = pressing(fresh ? words.add : words.save, submit, "strong");
  const discard = button(fresh ? words.cancel : words.discard, () => {
    drafts.delete(id);
    if (fresh) app.go("#channels");
    sign.clear();
    Object.assign(draft, begun());
    if (!fresh) drafts.set(id, draft);
    fill();
  });
  const news = make("p", { className: "news", role: "status" });
  const bar = make("div", { className: "save-bar" }, news, make("div", { className: "buttons" }, discard, save));
  const advanced = make("details", { className: "card group" }, make("summary", {}, make("h2", {}, words.advanced), make("span", { className: "hint" }, words.advancedText)));
  const groups = parts.advancedGroups.map((group) => make("div", { className: "together" }, ...grids([group])));
  const [heartbeat, pings, , taking, broker, sending] = groups;
  advanced.append(...groups);
  const dialogue = section(words.dialogue, words.dialogueText, grid(parts.kinds.dialogue));
  const mapping = make("details", { className: "sub" }, make("summary", {}, make("h3", {}, words.mapping), make("span", { className: "hint" }, words.mappingText)));
  mapping.append(grid(parts.mapping));
  const form = make(
    "form",
    { noValidate: true },
    section(words.basics, null, basics),
    section(words.signIn, words.signInText, sign.element, trial.element),
    dialogue,
    section(words.messages, null, grid(parts.messages), mapping, make("h3", {}, words.preview), preview.element),
    advanced,
    bar,
  );
  const status = make("p", { className: "quiet state-line" });
  const sends = anchor(words.send, sender(id), "button-link");
  const head = fresh
    ? pageHead(words.addChannel)
    : pageHead("", make("div", { className: "buttons" }, sends, anchor(words.health, health(id), "button-link"), button(words.removeChannel, () => confirm.showModal(), "danger")));
  const title = head.querySelector("h1");
  const confirm = make("dialog", { className: "confirm" });
  if (!fresh) confirm.append(...confirmation());

  function confirmation() {
    const heading = make("h2", { id: `remove-${id}` }, words.removeTitle);
    confirm.setAttribute("aria-labelledby", heading.id);
    return [
      heading,
      make("p", {}, words.removeText),
      make("div", { className: "buttons" }, button(words.cancel, () => confirm.close()), pressing(words.removeChannel, async () => {
        try {
          await edit([{ edit: "remove_channel", channel: id }]);
          drafts.delete(id);
          confirm.close();
          toast(words.channelRemoved);
          app.go("#channels");
        } catch (error) {
          confirm.close();
          app.failed(error);
        }
      }, "danger")),
    ];
  }

  /** What holds where the file says nothing: the close code of a take-over is the recipe's, and applications are Gotify's. */
  const defaults = () => (kindOf(draft.values) === "recipe" ? report.defaults.channel : { ...report.defaults.channel, quiet_close_codes: [], app_icons: true });
  const own = (/** @type {string} */ key) => fields.filter((field) => field.key === key);
  let kind = "";
  let preset = "";

  /** Shows what has a meaning for the kind. */
  function settle() {
    const is = kindOf(draft.values);
    const speaks = is === "dialogue";
    const hears = is === "sse";
    const subscribes = is === "mqtt";
    const posts = is === "recipe" || speaks || hears;
    parts.kinds.topics.element.hidden = is !== "ntfy" && !subscribes;
    parts.kinds.preset.element.hidden = !speaks;
    dialogue.hidden = !speaks;
    heartbeat?.toggleAttribute("hidden", is !== "recipe");
    for (const group of [pings, taking]) group?.toggleAttribute("hidden", hears);
    broker?.toggleAttribute("hidden", !subscribes);
    sending?.toggleAttribute("hidden", subscribes);
    for (const field of own("resume")) field.element.hidden = is !== "recipe";
    for (const field of own("carrier")) field.element.hidden = is !== "recipe" && !speaks;
    for (const field of own("quiet_close_codes")) field.element.hidden = subscribes;
    for (const field of [...own("headers"), ...own("images")]) field.element.hidden = isBroker(draft.values);
    for (const field of own("send_url")) field.element.hidden = !posts;
    for (const field of own("send_app")) field.element.hidden = is !== "gotify";
    for (const field of own("app_icons")) field.element.hidden = is !== "gotify";
    // Their messages are known by their own fields: no text of theirs is noise.
    for (const field of own("ignore")) field.element.hidden = is === "ntfy" || is === "gotify";
    mapping.hidden = !posts && !subscribes;
    for (const field of own("url")) field.element.querySelector("input")?.setAttribute("placeholder", EXAMPLES[is] ?? "");
    sign.speak(speaks && saysSecret(draft.values, report.presets ?? []));
    sign.broker(subscribes, isBroker(draft.values));
    // Others push nobody out, and neither does a broker to whom the trial has a name of its own.
    trial.disturbs(is === "recipe" || speaks);
    preview.speak(speaks);
    const now = String(at(draft.values, "preset") ?? "");
    if (kind !== is || preset !== now) {
      for (const field of [...own("dialogue.set"), ...own("quiet_close_codes"), ...own("app_icons"), ...own("topics")]) field.show(draft.values, defaults());
    }
    parts.kinds.set.element.hidden = !speaks;
    [kind, preset] = [is, now];
  }

  /** @param {string} kind That of the address that is typed or pasted. */
  function choose(kind) {
    put(draft.values, "kind", kind);
    for (const field of own("kind")) field.show(draft.values, defaults());
  }

  /** Puts the draft into the controls. */
  function fill() {
    for (const field of fields) {
      field.show(draft.values, defaults());
      field.fail(null);
    }
    settle();
    sign.show(draft.values, inFile()?.has_secret ?? (fresh ? false : null), report.keyring);
    sign.fail(null);
    changed();
    tellStatus();
  }

  const changedKeys = () => keys.filter((key) => !same(at(draft.values, key), at(draft.original, key)));
  /** @param {string} key Whether the kind has no use for it. */
  const foreign = (key) => {
    const [first = ""] = key.split(".");
    return first in draft.values && !(first in fitting(draft.values));
  };
  const dirty = () => sign.secret !== null || keys.some((key) => !same(at(draft.values, key), at(draft.original, key)));

  function changed() {
    const is = dirty();
    bar.classList.toggle("idle", !is && !fresh);
    save.disabled = !is;
    discard.disabled = !is && !fresh;
    if (!is) news.textContent = "";
    preview.soon();
  }

  form.addEventListener("input", (event) => {
    for (const field of fields) put(draft.values, field.key, field.read());
    const touched = event.target instanceof Element ? event.target.closest("[data-key]") : null;
    fields.find((field) => field.element === touched)?.fail(null);
    if (touched instanceof HTMLElement && touched.dataset.key === "url" && isBroker(draft.values)) choose("mqtt");
    if (touched instanceof HTMLElement && touched.dataset.key === "secret") sign.fail(null);
    settle();
    changed();
  });
  form.addEventListener("change", (event) => {
    // A choice decides which of the others count.
    for (const field of fields) put(draft.values, field.key, field.read());
    settle();
    // Of a new one it is found out what it is.
    if (!fresh && event.target instanceof HTMLInputElement && event.target.closest("[data-key=url]") !== null) {
      const address = addressOf(event.target.value, kindOf(draft.values));
      if (address !== event.target.value && address !== "") {
        event.target.value = address;
        put(draft.values, "url", address);
      }
    }
    changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!save.disabled) save.click();
  });

  /** Tells of an error where it belongs.
   * @param {unknown} error */
  function failed(error) {
    const key = code(error) === null ? null : /** @type {PageError} */ (error).key;
    const said = shown(reason(error), 500);
    if (code(error) === "keyring") {
      sign.fail(said);
      sign.focus();
      return;
    }
    const field = key === null ? undefined : fieldOf(fields, key);
    if (field === undefined) {
      write(news, said);
      news.dataset.kind = "problem";
      return;
    }
    field.fail(said, key ?? "");
    for (let holder = field.element.closest("details"); holder; holder = holder.parentElement?.closest("details") ?? null) holder.open = true;
    field.focus();
    field.element.scrollIntoView({ block: "center" });
  }

  async function submit() {
    for (const field of fields) field.fail(null);
    news.dataset.kind = "";
    news.textContent = "";
    if (at(draft.values, "url") === undefined) {
      const url = fields.find((field) => field.key === "url");
      url?.fail(words.urlMissing);
      url?.focus();
      return;
    }
    const { secret } = sign;
    if (discovery !== null) {
      if (kindOf(draft.values) === "mqtt") put(draft.values, "url", addressOf(String(at(draft.values, "url")), "mqtt"));
      const url = String(at(draft.values, "url"));
      if (discovery.isUnknown(url)) return discovery.look();
      // Nobody knows what it is: as it is meant.
      if (at(draft.values, "kind") === undefined) put(draft.values, "url", addressOf(url));
    }
    try {
      if (fresh) {
        await edit([{ edit: "add_channel", values: fitting(draft.values), secret }], draft.revision);
        drafts.delete(id);
        toast(words.channelAdded);
        app.go("#channels");
        return;
      }
      const values = fitting(draft.values);
      // What has no meaning any more goes whole: a table without its keys may be a mistake.
      const gone = Object.keys(draft.original).filter((key) => !(key in values));
      const typed = changedKeys().filter((key) => !gone.includes(key.split(".")[0] ?? "") && !foreign(key));
      const edits = [...gone, ...typed].map((key) => /** @type {const} */ ({ edit: "set", channel: id, key, value: at(values, key) ?? null }));
      // Inbox, secret and last message hang on the id: it must not follow from a name that is another one now.
      if (at(draft.original, "id") === undefined && (typed.includes("name") || typed.includes("url"))) {
        edits.unshift({ edit: "set", channel: id, key: "id", value: id });
      }
      if (edits.length > 0) {
        report = await edit(edits, draft.revision);
        Object.assign(draft, begun());
      }
      if (secret !== null) await app.host.act({ do: "set_secret", channel: id, secret });
      sign.clear();
      if (secret !== null) await reload();
      else fill();
      toast(words.saved);
    } catch (error) {
      if (code(error) !== "settings_changed") return failed(error);
      await reload();
      write(news, words.changedElsewhere);
      news.dataset.kind = "news";
    }
  }

  /** The file was read again: what was typed stays, everything else is as it now stands there.
   * @param {SettingsReport} now */
  function rebase(now) {
    report = now;
    const values = inFile()?.values;
    if (!fresh && values === undefined) return;
    if (now.revision === draft.revision && same(values ?? {}, draft.original)) {
      sign.show(draft.values, inFile()?.has_secret ?? (fresh ? false : null), report.keyring);
      return;
    }
    const typed = keys.filter((key) => !same(at(draft.values, key), at(draft.original, key)));
    const elsewhere = !same(values ?? {}, draft.original);
    const rebased = structuredClone(values ?? {});
    for (const key of typed) put(rebased, key, at(draft.values, key));
    Object.assign(draft, { values: rebased, original: values ?? {}, revision: now.revision });
    if (!elsewhere) return;
    // Where the focus is, one may be typing.
    const focused = form.contains(document.activeElement) ? document.activeElement : null;
    const touched = focused?.closest("[data-key]");
    for (const field of fields) if (field.element !== touched) field.show(draft.values, defaults());
    settle();
    sign.show(draft.values, inFile()?.has_secret ?? null, report.keyring);
    changed();
    tellStatus();
    if (typed.length > 0) {
      write(news, words.changedElsewhere);
      news.dataset.kind = "news";
    }
  }

  function tellStatus() {
    const told = app.report()?.channels.find((channel) => channel.id === id);
    if (!fresh && title) write(title, shown(told?.name ?? at(draft.original, "name") ?? id, NAME));
    sends.hidden = !app.there() || told?.sends !== true;
    write(status, told === undefined ? "" : app.there() ? shown(words.state(told, new Date()), 300) : words.stateUnknown);
    status.hidden = status.textContent === "";
  }

  fill();
  return { elements: [head, status, form, confirm], rebase, status: tellStatus, look: () => discovery?.look() };
}
