// What the window says before there is a channel: one field, what happens next, and a way to try it without a server.

import { foreign, make, pressing, shape } from "../base/dom.js";
import { code, reason } from "../host/errors.js";
import { edit, read } from "../host/settings-file.js";
import { words } from "../words/words.js";

/** @param {import("../app").App} app */
export function welcome(app) {
  const input = make("input", {
    id: "first-url", type: "text", inputMode: "url", required: true, autocomplete: "off", spellcheck: false,
    placeholder: "wss://shop.example/ws/user-channel",
  });
  const problem = make("p", { className: "problem", id: "first-problem", role: "alert", hidden: true });
  input.setAttribute("aria-describedby", problem.id);
  const connect = make("button", { className: "strong large" }, words.connectFirst);
  const form = make(
    "form",
    { noValidate: true },
    make("label", { htmlFor: input.id }, words.firstUrl),
    make("div", { className: "one-field" }, input, connect),
    problem,
  );

  /** @param {string | null} text */
  function fail(text) {
    problem.hidden = text === null;
    problem.replaceChildren(...(text === null ? [] : [foreign("span", text)]));
    input.setAttribute("aria-invalid", String(text !== null));
    if (text !== null) input.focus();
  }

  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!input.checkValidity()) return fail(words.urlMissing);
    const address = input.value.trim();
    // Of anything else it is found out first what it is, and shown what would be added.
    if (!/^wss?:\/\//i.test(address)) return app.go(`#look/${encodeURIComponent(address)}`);
    busy = true;
    try {
      // From what stands there now: somebody may have written the file by hand.
      await read();
      await edit([{ edit: "add_channel", values: { url: address }, secret: null }]);
      fail(null);
      input.value = "";
    } catch (error) {
      if (code(error) === "agent_gone") app.failed(error);
      else fail(reason(error));
    } finally {
      busy = false;
    }
  });
  input.addEventListener("input", () => fail(null));

  const demo = pressing(words.tryDemo, () => app.act({ do: "start_demo" }), "large");
  const steps = [words.nextConnect, words.nextSignIn, words.nextArrive];
  return make(
    "div",
    { className: "welcome" },
    make("div", { className: "emblem" }, shape("connected")),
    make("h2", {}, words.welcomeTitle),
    make("p", { className: "lead" }, words.welcomeText),
    form,
    make("ol", { className: "steps" }, ...steps.map((text) => make("li", {}, text))),
    make("div", { className: "or" }, make("span", {}, words.or)),
    make("div", { className: "try" }, demo, make("p", { className: "quiet" }, words.tryDemoText)),
  );
}
