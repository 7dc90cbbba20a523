import { messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { GateService } from "../gate-service.ts";
import type { AdmissionRequest } from "./admission-review.ts";
import { changedResources } from "./changed-resources.ts";
import type { Cluster } from "./cluster.ts";
import { namedPlan } from "./named-plan.ts";

/** Users of the cluster's own programs, which change things all day; Kubernetes reserves these names. */
const PROGRAMS = /^system:(?:serviceaccount:|node:|kube-)/;
const NAME_CHARS_MAX = 200;
const CHANGED_MAX = 50;

/**
 * Records what an exempt user changes, and tells of it unless the user is one of the cluster's programs. Never throws: the glass
 * is broken when nothing else works, which may be the ledger; then the log says so.
 * @returns the number of the entry; undefined where nothing changes or nothing could be recorded
 */
export async function recordExemption(
  request: AdmissionRequest,
  cluster: Cluster,
  { sources, tell, report }: Pick<GateService, "sources" | "tell" | "report">,
): Promise<number | undefined> {
  try {
    const changed = changedResources(request, cluster).map(({ path }) => path.slice(0, NAME_CHARS_MAX));
    if (changed.length === 0 || request.dryRun === true) return undefined;
    const user = request.userInfo.username.slice(0, NAME_CHARS_MAX);
    const { namespace, operation } = request;
    const what = { cluster: cluster.name, namespace, operation, user, changed: changed.slice(0, CHANGED_MAX) };
    const atEpochMs = sources.clock.epochMs();
    if (!PROGRAMS.test(user)) {
      const id = `exempt-${sha256Hex(`${cluster.name} ${request.uid}`).slice(0, 32)}`;
      tell({ type: "canary.gate.exempt", id, atEpochMs, data: what });
    }
    const plan = namedPlan(request);
    const [receipt] = await sources.ledger.append([
      {
        kind: "exemption",
        at: new Date(atEpochMs).toISOString(),
        body: { schema: "canary.gate-exemption/v1", ...what },
        ...(plan === undefined ? {} : { about: [plan] }),
      },
    ]);
    return receipt?.index;
  } catch (error) {
    report(`what an exempt user changed could not be recorded: ${messageOf(error)}`);
    return undefined;
  }
}
