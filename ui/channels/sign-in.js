// How a channel signs in: where in the request the secret goes, where it comes from, and the secret itself, which
// is taken and never shown again.

import { foreign, freshId, make, pressing } from "../base/dom.js";
import { at } from "../base/values.js";
import { choiceField, linesField, textField } from "../forms/fields.js";
import { toast } from "../parts/toast.js";
import { words } from "../words/words.js";

/** @typedef {import("../forms/fields.js").Field} Field */

/** Those of the ways to sign in that have a name of the user's. */
const NAMED = ["header", "query", "cookie"];
const SOURCES = ["token_command", "token_file", "token_env"];

/** Those that go with HTTP. */
const OF_HTTP = [...NAMED, "session"];

/** @param {() => void} changed
 * @returns {Field & { speak: (speaks: boolean) => void, broker: (is: boolean, alone: boolean) => void }} */
function authField(changed) {
  const kinds = /** @type {[string, string][]} */ ([
    ["bearer", words.authBearer], ["basic", words.authBasic], ["header", words.authHeader],
    ["query", words.authQuery], ["cookie", words.authCookie], ["session", words.authSession], ["none", words.authNone], ["dialogue", words.authDialogue],
  ]);
  const field = choiceField("auth", words.auth, kinds);
  const select = /** @type {HTMLSelectElement} */ (field.element.querySelector("select"));
  const name = make("input", { type: "text", autocomplete: "off", spellcheck: false, ariaLabel: words.authName, className: "code" });
  select.after(name);
  select.addEventListener("change", changed);
  /** @type {Record<string, string>} */
  const hints = { header: "X-Key", query: "token", cookie: "sid" };
  let usual = "bearer";
  let wasSet = false;
  const said = /** @type {HTMLOptionElement} */ (select.querySelector("option[value=dialogue]"));
  said.hidden = true;
  /** @param {boolean} speaks Whether a dialogue's texts say the secret, unless told otherwise. */
  function speak(speaks) {
    const before = usual;
    usual = speaks ? "dialogue" : "bearer";
    said.hidden = !speaks;
    said.disabled = !speaks;
    if ((!wasSet && select.value === before) || (!speaks && select.value === "dialogue")) select.value = usual;
    settle();
  }
  /** @param {boolean} is Whether an MQTT broker takes the secret, as a password.
   * @param {boolean} alone Whether it is all that goes there. */
  function broker(is, alone) {
    for (const option of select.options) {
      if (option.value === "bearer") option.textContent = is ? words.authToken : words.authBearer;
      // One that is chosen stays, and is told of.
      if (OF_HTTP.includes(option.value)) option.hidden = alone && option.value !== select.value;
    }
  }
  function settle() {
    name.hidden = !NAMED.includes(select.value);
    name.placeholder = hints[select.value] ?? "";
  }
  select.addEventListener("input", settle);
  return {
    ...field,
    speak,
    broker,
    show(values) {
      usual = at(values, "kind") === "dialogue" ? "dialogue" : "bearer";
      const value = at(values, "auth");
      wasSet = value !== undefined;
      const [kind, text] = typeof value === "object" && value !== null ? Object.entries(value)[0] ?? [usual, ""] : [value ?? usual, ""];
      select.value = kind;
      name.value = String(text);
      settle();
    },
    read() {
      if (NAMED.includes(select.value)) return { [select.value]: name.value.trim() || hints[select.value] };
      return select.value === usual && !wasSet ? undefined : select.value;
    },
  };
}

/** The section's content and its fields.
 * @param {object} page
 * @param {() => void} page.typed Something of the secret was typed.
 * @param {() => Promise<void>} page.forget Removes the one that is kept.
 * @param {(() => Promise<unknown>) | null} page.signIn Shows the web app's own page; `null`: the channel isn't there yet. */
export function signIn({ typed, forget, signIn }) {
  const auth = authField(settle);
  const username = textField("username", words.username);
  const command = textField("token_command", words.tokenCommand, { kind: "code", hint: words.tokenCommandHint, placeholder: "pass show shop/token" });
  const file = textField("token_file", words.tokenFile, { kind: "code", hint: words.tokenFileHint, placeholder: "~/.config/tidings/token" });
  const env = textField("token_env", words.tokenEnv, { kind: "code", hint: words.tokenEnvHint, placeholder: "SHOP_TOKEN" });
  const ways = [command, file, env];
  const provider = [
    textField("oauth.issuer", words.oauthIssuer, { kind: "url", hint: words.oauthIssuerHint, placeholder: "https://id.example/realms/shop" }),
    textField("oauth.client_id", words.oauthClient, { kind: "code", hint: words.oauthClientHint, placeholder: "tidings" }),
    linesField("oauth.scopes", words.oauthScopes, { hint: words.oauthScopesHint }),
    textField("oauth.audience", words.oauthAudience, { kind: "code", hint: words.oauthAudienceHint }),
    textField("oauth.redirect_port", words.oauthPort, { kind: "number", hint: words.oauthPortHint }),
  ];
  const start = textField("sign_in", words.signInPage, { kind: "code", hint: words.signInPageHint, placeholder: "https://shop.example/" });
  const keep = textField("keep_session", words.keepSession, { hint: words.keepSessionHint, placeholder: "10m" });
  const now = make("div", { className: "field" }, signIn === null ? make("p", { className: "hint" }, words.signInLater) : pressing(words.actionSignIn, signIn));

  const sourceId = freshId();
  const source = make("select", { id: sourceId }, ...[
    ["keyring", words.sourceKeyring], ["token_command", words.sourceCommand],
    ["token_file", words.sourceFile], ["token_env", words.sourceEnv], ["oauth", words.sourceProvider],
  ].map(([value, text]) => make("option", { value: value ?? "" }, text ?? "")));
  const sourceElement = make("div", { className: "field" }, make("label", { htmlFor: sourceId }, words.source), source);

  const secretId = freshId();
  const secret = make("input", { id: secretId, type: "password", autocomplete: "new-password", spellcheck: false });
  const kept = make("p", { className: "hint", id: `${secretId}-hint` });
  const problem = make("p", { className: "problem", id: `${secretId}-problem`, role: "alert", hidden: true });
  secret.setAttribute("aria-describedby", `${kept.id} ${problem.id}`);
  const remove = pressing(words.removeSecret, async () => {
    await forget();
    secret.focus();
  }, "plain small");
  const secretElement = make(
    "div",
    { className: "field" },
    make("label", { htmlFor: secretId }, words.secret),
    make("div", { className: "row" }, secret, remove),
    kept,
    problem,
  );
  secretElement.dataset.key = "secret";

  /** What of it makes sense. */
  function settle() {
    const kind = auth.element.querySelector("select")?.value;
    username.element.hidden = kind !== "basic";
    sourceElement.hidden = kind === "none";
    for (const way of ways) way.element.hidden = kind === "none" || source.value !== way.key;
    const session = kind === "session";
    for (const part of [start.element, keep.element]) part.hidden = !session;
    // Whoever signs in with a session does so at its site.
    const other = /** @type {HTMLOptionElement} */ (source.querySelector("option[value=oauth]"));
    other.hidden = session && source.value !== "oauth";
    const asked = source.value === "oauth" && kind !== "none";
    for (const field of provider) field.element.hidden = !asked;
    now.hidden = !asked && !(session && source.value === "keyring");
    secretElement.hidden = session || kind === "none" || source.value !== "keyring";
    if (secretElement.hidden && secret.value !== "") secret.value = "";
  }
  source.addEventListener("change", settle);
  secret.addEventListener("input", typed);

  /** @type {Field[]} */
  const fields = [auth, username, ...[start, keep, ...provider].map((field) => ({
    ...field,
    read: () => (field.element.hidden ? undefined : field.read()),
  })), ...ways.map((way) => ({
    ...way,
    read: () => (source.value === way.key && !way.element.hidden ? way.read() : undefined),
  }))];

  return {
    element: make("div", { className: "grid" }, auth.element, username.element, start.element, keep.element, sourceElement, ...[...ways, ...provider].map((field) => field.element), secretElement, now),
    fields,
    /** @param {import("../base/values.js").Values} values
     * @param {boolean | null} has Whether one is kept; `null`: that can't be told.
     * @param {boolean} keyring */
    show(values, has, keyring) {
      source.value = [...SOURCES, "oauth"].find((key) => at(values, key) !== undefined) ?? "keyring";
      secret.disabled = !keyring;
      remove.hidden = has !== true;
      secret.placeholder = has === true ? words.secretKept : "";
      kept.textContent = !keyring ? words.noKeyring : has === true ? words.secretKeptHint : words.secretHint;
      settle();
    },
    /** @param {boolean} speaks Whether the channel's dialogue says the secret. */
    speak(speaks) {
      auth.speak(speaks);
      settle();
    },
    broker: auth.broker,
    get secret() {
      return secret.value === "" || secretElement.hidden ? null : secret.value;
    },
    clear() {
      secret.value = "";
    },
    /** @param {string | null} text */
    fail(text) {
      problem.hidden = text === null;
      problem.replaceChildren(...(text === null ? [] : [foreign("span", text)]));
      secret.setAttribute("aria-invalid", String(text !== null));
    },
    focus: () => secret.focus(),
    forgotten: () => toast(words.secretRemoved),
  };
}
