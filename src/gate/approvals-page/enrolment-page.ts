import { html } from "../../report/html/safe-html.ts";
import { pageFrame } from "./page-frame.ts";

/** The page on which a person makes a passkey; the operator decides whose it is. */
export function enrolmentPage(): string {
  return pageFrame("Enrol a passkey", [
    html`<header><p class="kicker">canary gate</p><h1 id="enrol-title">Enrol a passkey</h1></header><main>
<section aria-labelledby="enrol-title"><p>Your browser makes a passkey for this gate. It counts once the operator has put it into the gate's file of passkeys under your name.</p>
<p><label for="identity">Who you are (as the operator writes it)</label><input id="identity" type="text" maxlength="200" autocomplete="email" spellcheck="false"></p>
<p><button id="enrol" type="button">Make a passkey</button></p>
<p id="said" role="status"></p><pre id="lines" tabindex="0" aria-label="Lines for the operator" hidden></pre></section></main>`,
  ]);
}
