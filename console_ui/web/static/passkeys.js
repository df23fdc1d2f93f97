// The browser's half of WebAuthn: options come in a data attribute as JSON, the answer leaves
// in a form field as JSON, both in the standard's own spelling (binary as base64url).

const form = document.querySelector("form[data-passkey]");

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const descriptors = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

function decoded(options) {
  const result = { ...options, challenge: bytes(options.challenge) };
  if (options.user) result.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) result.excludeCredentials = descriptors(options.excludeCredentials);
  if (options.allowCredentials) result.allowCredentials = descriptors(options.allowCredentials);
  return result;
}

function encoded(credential) {
  const { response } = credential;
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name]);
  }
  if (response.getTransports) parts.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: parts,
    clientExtensionResults: {},
  });
}

form.addEventListener("submit", async (event) => {
  if (form.elements.answer.value) return;
  event.preventDefault();
  const button = event.submitter;
  const publicKey = decoded(JSON.parse(form.dataset.options));
  try {
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey })
      : await navigator.credentials.get({ publicKey });
    form.elements.answer.value = encoded(credential);
    form.requestSubmit(button);
  } catch {
    form.querySelector("[data-passkey-error]").hidden = false;
    button?.focus();
  }
});
