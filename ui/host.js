// The one file that knows Tauri: what the page asks of its host, and what the host tells. In a plain browser,
// without Tauri, host-demo.js stands in with scripted data. Failures reject with a PageError.

/** @typedef {import("./api").PageEvent} PageEvent */
/** @typedef {import("./api").PageCommand} PageCommand */
/** @typedef {import("./api").HistoryQuery} HistoryQuery */
/** @typedef {import("./api").StoredMessage} StoredMessage */
/** @typedef {import("./api").SettingsReport} SettingsReport */
/** @typedef {import("./api").Edit} Edit */
/** @typedef {import("./api").Trial} Trial */
/** @typedef {import("./api").Step} Step */
/** @typedef {import("./api").Sample} Sample */
/** @typedef {import("./api").Preview} Preview */
/** @typedef {import("./api").HealthReport} HealthReport */

/** What the page needs.
 * @typedef {object} Host
 * @property {(onEvent: (event: PageEvent) => void) => Promise<void>} subscribe
 *   From here on each event is told; first whether the agent is there.
 * @property {(command: PageCommand) => Promise<void>} act
 * @property {(query: HistoryQuery) => Promise<StoredMessage[]>} history Newest first.
 * @property {() => Promise<string>} diagnostics A text without secrets.
 * @property {() => Promise<SettingsReport>} settings
 * @property {(revision: string, edits: Edit[]) => Promise<SettingsReport>} editSettings All or none.
 * @property {(trial: Trial, onStep: (step: Step) => void) => Promise<void>} test Ends after the last step.
 * @property {(sample: Sample) => Promise<Preview>} preview
 * @property {(channel: string) => Promise<HealthReport>} health
 * @property {((factor: number) => Promise<void>) | null} zoom Of the usual size; `null` where the host zooms by itself.
 */

/** The part of Tauri's global that is used.
 * @typedef {object} TauriCore
 * @property {(command: string, args?: object) => Promise<any>} invoke
 * @property {new () => { onmessage: (message: any) => void }} Channel
 */

/** @type {{ core: TauriCore } | undefined} */
const tauri = Reflect.get(globalThis, "__TAURI__");

/** @type {Host} */
const host = tauri ? overTauri(tauri.core) : (await import("./host-demo.js")).demo();

export const { subscribe, act, history, diagnostics, settings, editSettings, test, preview, health, zoom } = host;

/** @param {TauriCore} core
 * @returns {Host} */
function overTauri({ invoke, Channel }) {
  return {
    async subscribe(onEvent) {
      const events = new Channel();
      events.onmessage = onEvent;
      await invoke("subscribe", { events });
    },
    act: (command) => invoke("act", { command }),
    history: (query) => invoke("history", { query }),
    diagnostics: () => invoke("diagnostics"),
    settings: () => invoke("settings"),
    editSettings: (revision, edits) => invoke("edit_settings", { revision, edits }),
    async test(trial, onStep) {
      const steps = new Channel();
      steps.onmessage = onStep;
      await invoke("test", { trial, steps });
    },
    preview: (sample) => invoke("preview", { sample }),
    health: (channel) => invoke("health", { channel }),
    zoom: (factor) => invoke("plugin:webview|set_webview_zoom", { value: factor }),
  };
}

/** What went wrong, for people.
 * @param {unknown} error */
export function reason(error) {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}

/** The code of a PageError, if it is one.
 * @param {unknown} error
 * @returns {import("./api").PageErrorCode | null} */
export function code(error) {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return /** @type {import("./api").PageErrorCode} */ (error.code);
}
