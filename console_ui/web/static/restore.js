// What is ticked, counted; and how far a download is. Without it, ticking and downloading work.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const POLL_MS = 1000;

function amount(size) {
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) { size /= 1000; unit += 1; }
  return `${size.toLocaleString(document.documentElement.lang, { maximumFractionDigits: unit && size < 100 ? 1 : 0 })} ${UNITS[unit]}`;
}

for (const form of document.querySelectorAll("[data-selection]")) {
  const boxes = [...form.querySelectorAll("input[name=item][type=checkbox]")];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");

  function show() {
    const ticked = boxes.filter((box) => box.checked);
    const size = ticked.reduce((sum, box) => sum + Number(box.dataset.size), 0);
    const words = `${form.dataset.wordsSome}: ${ticked.length}`;
    count.textContent = ticked.length ? (size ? `${words}, ${amount(size)}` : words) : form.dataset.wordsNone;
    all.checked = ticked.length > 0 && ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
  }
  if (all && boxes.length) {
    all.hidden = false;
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; show(); });
    form.addEventListener("change", show);
    form.addEventListener("reset", () => setTimeout(show));
    addEventListener("pageshow", show);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = new FormData(form);
    for (const file of event.submitter?.without ?? []) wanted.append("without", file);
    const asked = await fetch(form.action, { method: "POST", body: wanted, headers: { Accept: "application/json" } });
    // Whatever cannot be zipped is told by a page: the vault was locked, nothing was ticked.
    if (!asked.ok || asked.redirected || !asked.headers.get("Content-Type").startsWith("application/json")) { form.submit(); return; }
    const { zip, progress } = await asked.json();
    location.assign(zip);
    follow(progress, form);
  });
}

for (const picture of document.querySelectorAll("[data-picture]")) {
  function fail() {
    picture.hidden = true;
    document.querySelector("[data-no-picture]").hidden = false;
  }
  picture.addEventListener("error", fail);
  // It may have failed before this ran.
  if (picture.complete && !picture.naturalWidth) fail();
}

async function follow(progress, form) {
  const place = form.querySelector("[data-progress]");
  for (let waited = 0; waited < 30 || place.dataset.begun; waited += 1) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    const answer = await fetch(progress, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const state = await answer.json();
    if (state.is_running) place.dataset.begun = "yes";
    if (state.is_running || place.dataset.begun || state.has_ended) place.textContent = state.text;
    if (!state.is_running && (place.dataset.begun || state.has_ended)) {
      delete place.dataset.begun;
      if (state.without.length) offerTheRest(state, place);
      return;
    }
  }
}

// Damage ends a download. Only the person decides to do without a file; the zip then names it.
function offerTheRest(state, place) {
  const button = Object.assign(document.createElement("button"), { className: "btn", textContent: state.do_without });
  button.without = state.without;
  place.append(" ", button);
}
