import type { Difference, Fingerprint, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import { familyOf } from "../../mirror/state/family.ts";
import { changedInside, isProgram } from "../../mirror/state/inside-containers.ts";
import { fileDifferences, newErrorPatterns, restartedServices } from "../../mirror/state/surroundings-difference.ts";
import { anyMatches, isExact } from "../../plan/resource-pattern.ts";
import type { BarrierStates } from "./barrier.ts";
import type { Finding } from "./finding.ts";

/**
 * Files as keys are compared: families that traffic does not write must equal the reference, the others the control's now.
 * A process that started again has written its files anew, and a replaced container has lost those in its own layer.
 */
export function filesAtBarrier(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow } = states;
  const before = states.controlReference ?? reference;
  const written = new Set(fileDifferences(before, control).map(({ path }) => familyOf(path)));
  const isWritten = ({ path }: Difference): boolean => written.has(familyOf(path));
  const drawnAtStart = new Set(fileDifferences(before, reference).map(({ path }) => path));
  const kindOf = kindsOf(
    states,
    new Set([...(before.sinceStart ?? []), ...(reference.sinceStart ?? [])].map(familyOf)),
  );
  const againstReference = fileDifferences(reference, shadow)
    .filter((one) => !isWritten(one))
    .map((difference): Finding => ({ kind: kindOf(difference, { before: reference, written: false }), difference }));
  const againstControl = fileDifferences(control, shadow)
    .filter((one) => isWritten(one) && !(drawnAtStart.has(one.path) && untouched(one.path, states)))
    .map((difference): Finding => ({ kind: kindOf(difference, { before: control, written: true }), difference }));
  return [...againstReference, ...againstControl].map(({ kind, difference }) => ({
    kind,
    difference: kind === "noise" ? { ...difference, path: familyOf(difference.path) } : difference,
  }));
}

/** The engine's files and programs that run, against the shadow's past; what the control runs by now is the service's own. */
export function insideAtBarrier({ reference, control, shadow }: BarrierStates): readonly Finding[] {
  return changedInside(reference, shadow).flatMap((difference): readonly Finding[] => {
    if (!isProgram(difference.path)) return [{ kind: "residue", difference }];
    if (reference.programs?.[difference.path] !== undefined || control.programs?.[difference.path] !== undefined)
      return [];
    return [{ kind: "residue", difference, inHand: true }];
  });
}

/** Trouble that the shadow alone tells of since the plan: nobody can undo a line of output, but somebody should read it. */
export function errorsAtBarrier({ reference, control, shadow, noise }: BarrierStates): readonly Finding[] {
  const known = new Set(noise.errors ?? []);
  return newErrorPatterns(reference, shadow)
    .filter(({ path }) => control.errors?.[path] === undefined && !known.has(path))
    .map((difference): Finding => ({ kind: "consequence", difference }));
}

/** A file that nobody wrote since the beginning, on either twin. */
function untouched(path: ResourcePath, { reference, shadow }: BarrierStates): boolean {
  return reference.files?.[path] === shadow.files?.[path];
}

function kindsOf(states: BarrierStates, writtenByStarting: ReadonlySet<string>) {
  const { shadow, noise, consequences, directEffects } = states;
  const noisy = new Set(noise.filePatterns ?? []);
  const direct = new Set(directEffects ?? []);
  const restarted = restartedServices(states.reference, shadow);
  const fresh = new Set(shadow.sinceStart);
  const globs = consequences.filter((pattern) => !isExact(pattern));
  const begunAnew = ({ path, kind }: Difference, before: Surroundings, written: boolean): boolean => {
    const [place, service = ""] = path.split("/");
    if (direct.has(path) || !(place === "file" ? restarted.has(service) : restarted.size > 0)) return false;
    if (kind !== "removed") return fresh.has(path) && writtenByStarting.has(familyOf(path));
    return (
      (before.sinceStart ?? []).includes(path) &&
      (writtenByStarting.has(familyOf(path)) || (written && place === "file"))
    );
  };
  return (difference: Difference, { before, written }: { readonly before: Fingerprint; readonly written: boolean }) => {
    if (noisy.has(familyOf(difference.path)) || begunAnew(difference, before, written)) return "noise";
    // What the plan itself wrote was to be put back, and without the list of it nothing is excused.
    const declared = anyMatches(written ? consequences : globs, difference.path);
    return declared && directEffects !== undefined && !direct.has(difference.path) ? "consequence" : "residue";
  };
}
