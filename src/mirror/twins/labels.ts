import type { Role } from "../twin.ts";
import type { Owner } from "./owner.ts";

/** Label keys. Nothing without `run` and a complete owner is ever removed by us. */
export const LABEL = {
  run: "dev.canary.run",
  role: "dev.canary.role",
  service: "dev.canary.service",
  slot: "dev.canary.slot",
  address: "dev.canary.address",
  ownerPid: "dev.canary.owner.pid",
  ownerStart: "dev.canary.owner.start",
  boot: "dev.canary.boot",
  /** Absolute folder of the run: what another process needs to finish a rollback lies there. */
  folder: "dev.canary.folder",
  /** On prepared images: digest of everything the preparation depends on. */
  prepared: "dev.canary.prepared",
  preparedFor: "dev.canary.prepared.for",
  preparedBase: "dev.canary.prepared.base",
  /** On images built from a `build` section: digest of the context. */
  built: "dev.canary.built",
  builtFor: "dev.canary.built.for",
} as const;

export type Labels = Readonly<Record<string, string>>;

/** Labels that say whose run a container, network or volume belongs to. */
export function ownershipLabels(options: {
  readonly runId: string;
  readonly owner: Owner;
  readonly folder?: string;
}): Labels {
  return {
    [LABEL.run]: options.runId,
    [LABEL.ownerPid]: String(options.owner.pid),
    [LABEL.ownerStart]: String(options.owner.startTicks),
    [LABEL.boot]: options.owner.bootId,
    ...(options.folder === undefined ? {} : { [LABEL.folder]: options.folder }),
  };
}

/** Labels of one thing inside a twin. */
export function twinLabels(options: {
  readonly ownership: Labels;
  readonly role: Role;
  readonly service: string;
}): Labels {
  return { ...options.ownership, [LABEL.role]: options.role, [LABEL.service]: options.service };
}

/** The owner written on a thing; `undefined` when it is not ours or its labels are damaged, so it must be left alone. */
export function ownerOfLabels(labels: Labels): Owner | undefined {
  const pid = wholeNumber(labels[LABEL.ownerPid]);
  const startTicks = wholeNumber(labels[LABEL.ownerStart]);
  const bootId = labels[LABEL.boot];
  if (!labels[LABEL.run] || pid === undefined || startTicks === undefined || !bootId) return undefined;
  return { pid, startTicks, bootId };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
