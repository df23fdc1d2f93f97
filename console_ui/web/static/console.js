// Small conveniences. Every page works without them, except passkeys and links with a secret.

// A secret in a link stands behind '#', which browsers never send: it goes into the form
// and out of the address bar.
const field = document.querySelector("[data-from-fragment]");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  field.closest("[data-hide-when-filled]")?.setAttribute("hidden", "");
}

// After a form came back, the first field that was refused is the one to go on with.
const refused = document.querySelector("main [aria-invalid=true]");
if (refused && !document.querySelector("[autofocus]")) refused.focus();

// Where the tabs are wider than the window, show the one that is open: also after turning a phone.
function showOpenTab() {
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}
showOpenTab();
addEventListener("resize", showOpenTab);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (button?.dataset.copy) {
    const source = document.querySelector(button.dataset.copy);
    await navigator.clipboard.writeText(source.dataset.text ?? source.textContent.trim());
    const word = button.querySelector("[data-word]");
    word.textContent = button.dataset.done;
  } else if (button) {
    window.print();
  }
  // A click elsewhere closes an open menu.
  for (const menu of document.querySelectorAll("details.menu[open], details.phone-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open], details.phone-menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
