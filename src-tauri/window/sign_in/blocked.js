// Runs in every frame before anything of the page. The web app's own page would open the channel the moment that the user is
// in, and take it over from Tidings; and a page that tries while he is not would have the server answer that later.
(() => {
  /** As long as a connection that fails may take: a page that tries again at once must not spin. */
  const FAILS_AFTER = 1000;
  class WebSocket extends EventTarget {
    constructor(address) {
      super();
      const url = String(new URL(address, document.baseURI));
      Object.assign(this, { url, readyState: 0, binaryType: "blob", bufferedAmount: 0, extensions: "", protocol: "" });
      Object.assign(this, { onopen: null, onmessage: null, onerror: null, onclose: null });
      setTimeout(() => {
        this.readyState = 3;
        for (const event of [new Event("error"), new CloseEvent("close", { code: 1006 })]) {
          this.dispatchEvent(event);
          const handler = this[`on${event.type}`];
          if (typeof handler === "function") handler.call(this, event);
        }
      }, FAILS_AFTER);
    }
    send() {
      if (this.readyState === 0) throw new DOMException("The connection is not open", "InvalidStateError");
    }
    close() {}
  }
  for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
    Object.defineProperty(WebSocket, name, { value });
    Object.defineProperty(WebSocket.prototype, name, { value });
  }
  // No script runs before a worker's own, so the app's own workers are not there. Those whose text stands in the page are (some
  // sites have them count, to know that this is a browser), with their links taken away by a line before that text.
  const { Worker: Whole, Blob, XMLHttpRequest } = window;
  const { createObjectURL } = URL;
  const BEFORE = "for (const name of ['WebSocket', 'Worker', 'WebTransport']) Object.defineProperty(self, name, { value: undefined });";
  const Worker = Whole && class extends Whole {
    constructor(address, ...options) {
      if (!/^(blob|data):/.test(String(address))) throw new DOMException("No workers here", "SecurityError");
      const asked = new XMLHttpRequest();
      asked.open("GET", address, false);
      asked.send();
      super(createObjectURL(new Blob([BEFORE, asked.response], { type: "text/javascript" })), ...options);
    }
  };
  const fixed = (name, value) => Object.defineProperty(window, name, { value, writable: false, configurable: false });
  fixed("WebSocket", WebSocket);
  fixed("Worker", Worker);
  fixed("SharedWorker", undefined);
  fixed("WebTransport", undefined);
  delete Navigator.prototype.serviceWorker;
})();
