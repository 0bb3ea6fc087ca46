// The one file that knows Tauri: what the page asks of its host, and what the host tells. In a plain browser,
// without Tauri, host-demo.js stands in with scripted data. Failures reject with a PageError.

/** @typedef {import("./api").PageEvent} PageEvent */
/** @typedef {import("./api").PageCommand} PageCommand */
/** @typedef {import("./api").HistoryQuery} HistoryQuery */
/** @typedef {import("./api").StoredMessage} StoredMessage */

/** What the page needs.
 * @typedef {object} Host
 * @property {(onEvent: (event: PageEvent) => void) => Promise<void>} subscribe
 *   From here on each event is told; first whether the agent is there.
 * @property {(command: PageCommand) => Promise<void>} act
 * @property {(query: HistoryQuery) => Promise<StoredMessage[]>} history Newest first.
 * @property {() => Promise<string>} diagnostics A text without secrets.
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

export const { subscribe, act, history, diagnostics } = host;

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
