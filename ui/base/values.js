// Values of the settings file by their paths.

/** @typedef {Record<string, any>} Values A table of the file, subtables nested. */

/** The value at a path such as `heartbeat.interval`; `undefined` where there is none.
 * @param {Values} values @param {string} path
 * @returns {any} */
export function at(values, path) {
  return path.split(".").reduce((table, key) => table?.[key], /** @type {any} */ (values));
}

/** Puts a value there; `undefined` takes it away, with tables that are then empty.
 * @param {Values} values @param {string} path @param {any} value */
export function put(values, path, value) {
  const [key = "", ...rest] = path.split(".");
  if (rest.length === 0) {
    if (value === undefined) delete values[key];
    else values[key] = value;
    return;
  }
  const table = values[key] ?? {};
  put(table, rest.join("."), value);
  if (Object.keys(table).length === 0) delete values[key];
  else values[key] = table;
}

/** Whether two values of the file are the same.
 * @param {any} a @param {any} b
 * @returns {boolean} */
export function same(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}
