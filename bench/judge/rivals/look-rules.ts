import { blockInterval } from "./block-interval.ts";
import type { LookRule } from "./look-rule.ts";
import { naiveT } from "./naive-t.ts";
import { requestBet } from "./request-bet.ts";
import { twoProportions } from "./two-proportions.ts";
import { withoutBefore } from "./without-before.ts";
import { withoutDeflation } from "./without-deflation.ts";

/** Every rule that looks block by block, by name. */
export const LOOK_RULES = {
  "naive-t": naiveT,
  "no-before": withoutBefore,
  "no-deflation": withoutDeflation,
  "block-interval": blockInterval,
  "request-bet": requestBet,
  "two-proportion": twoProportions,
} as const satisfies Readonly<Record<string, LookRule>>;

/** Name of a rule that looks block by block. */
export type LookRuleName = keyof typeof LOOK_RULES;
