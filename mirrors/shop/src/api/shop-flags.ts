import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { FlagdCore } from "@openfeature/flagd-core";
import type { Log } from "../service/log.ts";
import { reasonOf } from "../service/log.ts";

/** The shop's feature flags, as the flagd file says now; a flag that it lacks has the default of the code. */
export interface ShopFlags {
  isOn(flag: string, fallback: boolean): boolean;
  number(flag: string, fallback: number): number;
}

/** Flags that are read again when their file changes. */
export interface WatchedFlags extends ShopFlags {
  close(): void;
}

/** The file is looked at twice a second: events of the file system do not cross every kind of mount. */
const LOOK_EVERY_MS = 500;

/**
 * Reads a flagd file and keeps watching it. A file that flagd refuses changes nothing: the flags before stay in force.
 * @throws Error when there is no readable file at the start
 */
export function watchFlags(path: string, log: Log): WatchedFlags {
  const core = new FlagdCore();
  core.setConfigurations(readFileSync(path, "utf8"));
  const read = (): void => {
    try {
      core.setConfigurations(readFileSync(path, "utf8"));
      log.info("flags read again");
    } catch (error) {
      log.warn("the flag file was refused, the flags before stay", { reason: reasonOf(error) });
    }
  };
  watchFile(path, { interval: LOOK_EVERY_MS }, read);
  return { ...flagsOf(core), close: () => unwatchFile(path, read) };
}

/** Flags over an evaluator; what it can not answer is the default of the code. */
export function flagsOf(core: FlagdCore): ShopFlags {
  const known = (flag: string): boolean => core.getFlag(flag) !== undefined;
  return {
    isOn: (flag, fallback) => (known(flag) ? core.resolveBooleanEvaluation(flag, fallback).value : fallback),
    number: (flag, fallback) => (known(flag) ? core.resolveNumberEvaluation(flag, fallback).value : fallback),
  };
}
