import type { Phase } from "./run-event.ts";

/** Names of phases for people. */
export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  admit: "admit",
  raise: "raise twins",
  "quiet-proof": "quiet proof",
  "warm-up": "warm up",
  baseline: "baseline",
  replay: "plan acts",
  settle: "settle",
  observe: "observe",
  rollback: "undo",
  recover: "recover",
  barrier: "compare state",
  sensitivity: "plant harm",
  judge: "judge",
  publish: "sign",
  "tear-down": "tear down",
};
