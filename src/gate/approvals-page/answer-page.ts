import { section } from "../../report/html/page-parts.ts";
import { html } from "../../report/html/safe-html.ts";
import { pageFrame } from "./page-frame.ts";
import { text } from "./page-words.ts";

/** What a person is told who comes back from the identity provider and has approved nothing. */
export function answerPage(said: {
  readonly title: string;
  readonly message: string;
  /** The plan that they wanted to approve. */
  readonly plan?: string;
  /** Their account, where the operator has not listed it. */
  readonly account?: string;
}): string {
  const { title, message, plan, account } = said;
  const line =
    account === undefined ? undefined : `  - ${JSON.stringify({ identity: "<who this is>", account: text(account) })}`;
  return pageFrame(title, [
    html`<header><p class="kicker">canary gate</p><h1>${title}</h1></header><main>
<section class="answer reject" role="alert"><p class="meaning">${text(message)}.</p><p>Nothing was recorded.</p></section>`,
    line === undefined
      ? html``
      : section("operator", "If you should be able to approve", [
          html`<p>Give this line to the operator of the gate; it belongs into its file of people.</p><pre>${line}</pre>`,
        ]),
    html`${plan === undefined ? undefined : html`<p><a class="button" href="/approvals/plans/${plan}">Back to the plan</a></p>`}</main>`,
  ]);
}
