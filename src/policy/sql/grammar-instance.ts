import { createRequire } from "node:module";

/** The package, as far as it is asked. */
export type Grammar = Pick<typeof import("libpg-query"), "parseSync" | "parsePlPgSQLSync" | "hasSqlDetails">;

/** The module as it was loaded once, with a memory of its own. */
export interface GrammarInstance {
  readonly grammar: Grammar;
  /** It stopped in the middle of a text (an assertion, its memory or stack): nothing that it answers afterwards can be believed. */
  hasStopped: boolean;
}

/**
 * Loads the module anew, whatever was loaded before. By `require`, whose cache can be cleared: what was imported stays for ever,
 * with its memory.
 */
export async function freshGrammar(): Promise<GrammarInstance> {
  const require = createRequire(import.meta.url);
  const file = require.resolve("libpg-query");
  Reflect.deleteProperty(require.cache, file);
  const grammar = require(file) as typeof import("libpg-query");
  await grammar.loadModule();
  return { grammar, hasStopped: false };
}
