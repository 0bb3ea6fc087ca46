// The window zoomed by keyboard and wheel as a browser is, which the web view doesn't do by itself. It stays so.

/** Of the usual size, as browsers have them. */
const STEPS = [0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3];
/** Where it is kept. */
const KEPT = "zoom";

/** @param {(factor: number) => Promise<void>} apply */
export function zoomable(apply) {
  let zoom = Number(localStorage.getItem(KEPT)) || 1;

  /** @param {number} factor */
  function set(factor) {
    zoom = factor;
    localStorage.setItem(KEPT, String(factor));
    return apply(factor);
  }

  /** @param {boolean} larger */
  function step(larger) {
    const next = larger ? STEPS.find((factor) => factor > zoom) : STEPS.findLast((factor) => factor < zoom);
    if (next !== undefined) set(next);
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key === "+" || event.key === "=") step(true);
    else if (event.key === "-") step(false);
    else if (event.key === "0") set(1);
    else return;
    event.preventDefault();
  });
  document.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || event.deltaY === 0) return;
    event.preventDefault();
    step(event.deltaY < 0);
  }, { passive: false });
  if (zoom !== 1) set(zoom);
}
