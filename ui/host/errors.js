// What a host's refusal says: it rejects with a PageError.

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
