import { InvariantViolation } from "../../core/invariant.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { executeExec } from "./exec-action.ts";
import { executeFile, fileAtTarget } from "./file-action.ts";
import { executeGrpc } from "./grpc-action.ts";
import { executeHttp } from "./http-action.ts";
import { executeProposal } from "./proposal-actions.ts";
import { executeProbe, executeQueryLogs, executeQueryMetrics, executeWait } from "./reading-actions.ts";
import { executeRedis, redisAtTarget } from "./redis-action.ts";
import { executeRestart, executeScale, executeUpdate, serviceAtTarget } from "./service-action.ts";
import { executeSql, sqlAtTarget } from "./sql-action.ts";
import type { StepContext, StepOutcome, StepResult } from "./step-result.ts";
import { timeBoxed } from "./time-box.ts";

/**
 * Does one step on a twin inside its time box and checks that it landed.
 * Whatever the step itself causes (a refusal, a crash of the service, a time-out) is a result with `landed: false`.
 * @throws signal.reason when aborted; CanaryError when the plan's documents are wrong or the engine does not answer any more
 */
export async function executeStep(step: ActionStep, twin: Twin, context: StepContext): Promise<StepResult> {
  return await timeBoxed((boxed) => kindOfStep(step, twin, boxed), twin, context);
}

/**
 * Whether the twin already is where the step would bring it: exact for `scale`, `update`, `remove`, `file` and `flag`, by the
 * `landed` query or command for `sql` and `redis`. Everything else has no target that can be looked at: the answer is no.
 */
export async function alreadyAtTarget(step: ActionStep, twin: Twin, signal: AbortSignal): Promise<boolean> {
  switch (step.uses) {
    case "scale":
    case "update":
      return await serviceAtTarget(step, twin, signal);
    case "sql":
      return await unlessUnreadable(() => sqlAtTarget(step, twin), twin, signal);
    case "remove":
      return await serviceAtTarget({ uses: "scale", with: { service: step.with.service, replicas: 0 } }, twin, signal);
    case "file":
    case "flag":
      return await unlessUnreadable(() => fileAtTarget(step, twin, signal), twin, signal);
    case "redis":
      return await unlessUnreadable(() => redisAtTarget(step, twin), twin, signal);
    case "http":
    case "grpc":
    case "exec":
    case "restart":
    case "wait":
    case "probe":
    case "query-metrics":
    case "query-logs":
    case "ticket":
    case "pull-request":
      return false;
  }
}

function kindOfStep(step: ActionStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  switch (step.uses) {
    case "http":
      return executeHttp(step, twin, context);
    case "grpc":
      return executeGrpc(step, twin, context);
    case "sql":
      return executeSql(step, twin, context);
    case "exec":
      return executeExec(step, twin, context);
    case "scale":
      return executeScale(step, twin, context);
    case "update":
      return executeUpdate(step, twin, context);
    case "restart":
      return executeRestart(step, twin, context);
    case "remove":
      return executeScale({ uses: "scale", with: { service: step.with.service, replicas: 0 } }, twin, context);
    case "file":
    case "flag":
      return executeFile(step, twin, context);
    case "redis":
      return executeRedis(step, twin, context);
    case "wait":
      return executeWait(step, context);
    case "probe":
      return executeProbe(step, twin, context);
    case "query-metrics":
      return executeQueryMetrics(step, twin, context);
    case "query-logs":
      return executeQueryLogs(step, twin, context);
    case "ticket":
    case "pull-request":
      return executeProposal(step, twin, context);
  }
}

/** A target that can not be looked at (its table or its file does not exist yet) says that the step has not landed. */
async function unlessUnreadable(look: () => Promise<boolean>, twin: Twin, signal: AbortSignal): Promise<boolean> {
  try {
    return await look();
  } catch (thrown) {
    if (thrown instanceof InvariantViolation) throw thrown;
    await twin.configuration(signal);
    return false;
  }
}
