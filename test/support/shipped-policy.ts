import { openPolicy } from "../../src/cli/open-policy.ts";
import type { Asking } from "../../src/policy/admit.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";

/** The policy that ships, with the grammar: what admission asks wherever a test does not say otherwise. */
export const ASKING: Asking = { parse: await loadSqlParser(), policy: await openPolicy("policies/default") };
