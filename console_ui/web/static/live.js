// What devices do, as it happens: the server sends the changed parts of a device's row.
// Without this script the page is as true as the moment at which it was loaded.
const root = document.querySelector("[data-live]");
const said = document.querySelector("[data-said]");
const states = new Map();

function show(event) {
  const told = JSON.parse(event.data);
  const place = root.querySelector(`[data-device="${told.device}"]`);
  if (!place) {
    // A new device: only a page that shows all of them has a row for it once it is made anew.
    if ("liveAll" in root.dataset) location.reload();
    return;
  }
  for (const part of ["state", "last", "next"]) {
    const cell = place.querySelector(`[data-part="${part}"]`);
    if (cell && cell.innerHTML !== told[part]) cell.innerHTML = told[part];
  }
  for (const form of place.querySelectorAll("[data-when]")) {
    form.hidden = (form.dataset.when === "running") !== told.running;
  }
  // Said once for each change of state, not every second.
  if (states.get(told.device) !== told.said) {
    states.set(told.device, told.said);
    said.textContent = told.said;
  }
}

const stream = new EventSource(`${root.dataset.live}?since=${encodeURIComponent(root.dataset.liveSince)}`);
stream.addEventListener("device", show);
addEventListener("pagehide", () => stream.close());
