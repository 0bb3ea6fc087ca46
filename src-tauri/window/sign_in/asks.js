// Which secret the page asks for. Runs beside the page, in a world of its own.
(() => {
  const CODE = /otp|mfa|2fa|one.?time|passcode|verif|^(code|pin|token)$/i;
  const shown = (field) => field.getClientRects().length > 0 && getComputedStyle(field).visibility !== "hidden";
  const inside = (root) => {
    const frames = [...root.querySelectorAll("iframe")].map((frame) => frame.contentDocument).filter(Boolean);
    return [...root.querySelectorAll("input")].concat(...frames.map(inside));
  };
  const fields = inside(document).filter((field) => field.type !== "hidden" && shown(field));
  if (fields.some((field) => field.type === "password")) return "password";
  const code = (field) => field.autocomplete.includes("one-time-code") || CODE.test(field.name) || CODE.test(field.id);
  return fields.some(code) ? "code" : "nothing";
})();
