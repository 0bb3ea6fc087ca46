// The second host's pictures: drawn here, so that none has to be brought along.

/** As the agent has it, by its name: what begins with "icon" is one.
 * @param {string} name @param {boolean} anew It is another one than it was.
 * @returns {string | null} */
export function pictureOf(name, anew) {
  const icon = name.startsWith("icon");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = icon ? [96, 96] : [640, 400];
  const pen = canvas.getContext("2d");
  if (pen === null) return null;
  const { width, height } = canvas;
  const sky = pen.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, anew ? "#c85250" : icon ? "#5b7fd8" : "#27415f");
  sky.addColorStop(1, icon ? "#3a57a5" : "#d98f5f");
  pen.fillStyle = sky;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = icon ? "#ffffff" : "#20252d";
  if (icon) {
    pen.beginPath();
    pen.arc(48, 48, 24, 0, 2 * Math.PI);
    pen.fill();
  } else {
    // A door at dusk.
    pen.fillRect(0, 300, width, 100);
    pen.fillRect(360, 110, 130, 200);
    pen.fillStyle = "#f0c987";
    pen.fillRect(374, 124, 102, 60);
  }
  return canvas.toDataURL("image/png").split(",")[1] ?? null;
}
