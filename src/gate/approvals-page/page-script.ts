/** The pages' script, served as a file of its own: the page allows no other. Kept to what every browser with passkeys reads. */
export const PAGE_SCRIPT = `"use strict";
const $ = (id) => document.getElementById(id);
const post = async (path, body) => {
  const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? "the gate answered " + response.status);
  return answer;
};
const tell = (text, isRefused) => { $("said").textContent = text; $("said").className = isRefused ? "refused" : ""; };
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const failure = { approve: "Not approved: ", "take-back": "Not taken back: " };
const onPress = (button, work) => button.addEventListener("click", async () => {
  const buttons = [...document.querySelectorAll("button")];
  for (const one of buttons) one.disabled = true;
  tell("Waiting for you…", false);
  try { await work(button.dataset); } catch (error) {
    const said = error.name === "NotAllowedError" ? "you did not confirm it, or took too long; or there is no passkey for this gate here" : error.message;
    tell((failure[button.dataset.purpose] ?? "No passkey was made: ") + said + ".", true);
    for (const one of buttons) one.disabled = false;
    button.focus();
  }
});

const byPasskey = async ({ purpose, plan, verdict, environment }) => {
  const asked = await post("/v1/passkeys/challenge", { purpose, plan, verdict, environment });
  const credential = await navigator.credentials.get({ publicKey: {
    challenge: bytes(asked.challenge), rpId: location.hostname, userVerification: "required", timeout: 300000,
  } });
  await post("/v1/passkeys/approve", { words: asked.words, assertion: credential.toJSON() });
  location.hash = purpose === "approve" ? "by-" + asked.words.nonce : "approvals";
  location.reload();
};

const bySignOn = async ({ purpose, plan, verdict, environment }) => {
  const { location: provider } = await post("/v1/sign-on/start", { purpose, plan, verdict, environment });
  location.assign(provider);
};

for (const button of document.querySelectorAll("button[data-way]")) {
  onPress(button, button.dataset.way === "passkey" ? byPasskey : bySignOn);
}

if ($("enrol")) onPress($("enrol"), async () => {
  const identity = $("identity").value.trim();
  if (identity === "") throw new Error("say who you are first");
  const asked = await post("/v1/passkeys/challenge", { purpose: "enrol", identity });
  const credential = await navigator.credentials.create({ publicKey: {
    challenge: bytes(asked.challenge), rp: { id: location.hostname, name: "canary gate" },
    user: { id: crypto.getRandomValues(new Uint8Array(32)), name: identity, displayName: identity },
    pubKeyCredParams: [{ type: "public-key", alg: -8 }, { type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" }, attestation: "none", timeout: 300000,
  } });
  const answer = await post("/v1/passkeys/enrol", { words: asked.words, attestation: credential.toJSON() });
  $("lines").textContent = answer.lines;
  $("lines").hidden = false;
  tell("Give these lines to the operator of the gate. They count once they stand in its file of passkeys.", false);
});

if (location.hash.startsWith("#by-")) {
  const row = $(location.hash.slice(1));
  if (row) { row.tabIndex = -1; row.focus(); }
}
`;
