import type { Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import { actionIdentity } from "./action-identity.ts";
import type { StepContext, StepOutcome } from "./step-result.ts";

/** Opens a ticket or a pull request with a third party of the mirror; it landed if the stub answers 200 to 299. */
export async function executeProposal(
  step: StepOf<"ticket"> | StepOf<"pull-request">,
  twin: Twin,
  context: StepContext,
): Promise<StepOutcome> {
  const { host, path, body } = requestOf(step);
  const headers = { "content-type": "application/json", ...actionIdentity(context).headers };
  const request = { host, method: "POST" as const, path, headers, body: JSON.stringify(body) };
  const answer = await twin.askStub(request, context.signal);
  const landed = answer.status >= 200 && answer.status <= 299;
  const said = `POST ${host}${path} answered ${answer.status}`;
  return { landed, output: answer.body, message: landed ? said : `${said}, expected 200 to 299` };
}

/** In the words of GitHub's API, which most services copy. */
function requestOf(step: StepOf<"ticket"> | StepOf<"pull-request">): {
  readonly host: string;
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
} {
  if (step.uses === "ticket") {
    const { host, path, title, body } = step.with;
    return { host, path, body: { title, body } };
  }
  const { host, repository, title, body, branch, diff } = step.with;
  return { host, path: `/repos/${repository}/pulls`, body: { title, body, head: branch, diff } };
}
