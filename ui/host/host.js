// The one file that knows Tauri. In a plain browser, without Tauri, the folder demo stands in with scripted data.

/** @typedef {import("./contract").Host} Host */

/** The part of Tauri's global that is used.
 * @typedef {object} TauriCore
 * @property {(command: string, args?: object) => Promise<any>} invoke
 * @property {new () => { onmessage: (message: any) => void }} Channel
 */

/** @type {{ core: TauriCore } | undefined} */
const tauri = Reflect.get(globalThis, "__TAURI__");

/** @type {Host} */
const host = tauri ? overTauri(tauri.core) : (await import("./demo/demo.js")).demo();

export const { subscribe, act, history, diagnostics, settings, editSettings, test, preview, discover, health, picture, zoom } = host;

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
    discover: (pasted) => invoke("discover", { pasted }),
    health: (channel) => invoke("health", { channel }),
    picture: (name) => invoke("picture", { name }),
    zoom: (factor) => invoke("plugin:webview|set_webview_zoom", { value: factor }),
  };
}
