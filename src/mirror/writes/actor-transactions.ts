import type { Client } from "pg";
import { InvariantViolation } from "../../core/invariant.ts";
import type { ActorWork } from "../write-log.ts";
import { lastRows, sqlState } from "./database-access.ts";

/** What is told of the transactions of one performance, as they happen. */
export interface TransactionNotes {
  /** A transaction began: 64-bit number, as decimal text. */
  readonly onTransaction: (id: string) => void;
  /** Some of what is written from here on cannot be told from the application's. */
  readonly onMixed: (why: string) => void;
}

/** What may end a transaction by itself, or end another's, so that no number of ours covers it. */
const ENDS_TRANSACTIONS = /^(?:CALL|DO|COMMIT|END|ROLLBACK|ABORT|BEGIN|START|PREPARE\s+TRANSACTION)\b/i;
const REFUSES_TRANSACTIONS = "25001";
const MAY_REFUSE_TRANSACTIONS =
  /\bCONCURRENTLY\b|\b(?:VACUUM|CLUSTER|REINDEX|SYSTEM|DATABASE|TABLESPACE|SUBSCRIPTION)\b/i;

/**
 * Runs statements so that the number of every transaction they write in is known before they write.
 * A statement that refuses a transaction (CREATE INDEX CONCURRENTLY, VACUUM) runs bare: such statements write no rows.
 * @throws whatever the server answers; the transaction is then rolled back
 */
export async function runNumbered(
  client: Client,
  work: Pick<ActorWork, "statements" | "transaction" | "onSent">,
  notes: TransactionNotes,
  signal: AbortSignal,
): Promise<void> {
  const bare = async (statement: string): Promise<void> => {
    const asked = client.query(statement);
    work.onSent?.();
    await asked;
  };
  if (work.transaction) return await inTransaction(client, work.statements, { ...notes, onSent: work.onSent });
  for (const statement of work.statements) {
    signal.throwIfAborted();
    if (ENDS_TRANSACTIONS.test(withoutComments(statement))) {
      notes.onMixed(`${firstWord(statement)} may end transactions by itself, so their numbers are not known`);
      await bare(statement);
      continue;
    }
    try {
      // Of what will be refused, the attempt is not yet the statement.
      const onSent = MAY_REFUSE_TRANSACTIONS.test(statement) ? undefined : work.onSent;
      await inTransaction(client, [statement], { ...notes, onSent });
    } catch (cause) {
      if (sqlState(cause) !== REFUSES_TRANSACTIONS) throw cause;
      signal.throwIfAborted();
      await bare(statement);
    }
  }
}

/** Two questions to the server: the number first, while nothing is locked yet, then everything else at once. */
async function inTransaction(
  client: Client,
  statements: readonly string[],
  notes: TransactionNotes & { readonly onSent: ActorWork["onSent"] },
): Promise<void> {
  const [begun] = lastRows(await client.query("BEGIN; SELECT txid_current()::text AS id"));
  const id = begun?.["id"];
  if (typeof id !== "string") throw new InvariantViolation("the server gave the transaction no number");
  notes.onTransaction(id);
  const check = "SELECT coalesce(txid_current_if_assigned()::text, '') AS id";
  try {
    // A line break before each semicolon, because a statement may end in a comment.
    const asked = client.query([...statements, check, "COMMIT"].map((one) => `${one}\n;`).join("\n"));
    notes.onSent?.();
    const results: unknown = await asked;
    const checked = Array.isArray(results) ? lastRows(results.at(-2))[0]?.["id"] : undefined;
    if (checked !== id) notes.onMixed(ENDED);
  } catch (cause) {
    await afterFailure(client, id, notes);
    throw cause;
  }
}

const ENDED = "a statement ended the transaction that it ran in";

/** What failed is rolled back; if it was committed all the same, a statement did that. */
async function afterFailure(client: Client, id: string, notes: TransactionNotes): Promise<void> {
  try {
    await client.query("ROLLBACK");
    const [status] = lastRows(await client.query("SELECT txid_status($1::text::bigint) AS status", [id]));
    if (status?.["status"] !== "aborted") notes.onMixed(ENDED);
  } catch {
    // The connection is gone. If the transaction was committed before that, the log of writes knows its number.
  }
}

function firstWord(statement: string): string {
  return (/^\w+/.exec(withoutComments(statement))?.[0] ?? "a statement").toUpperCase();
}

function withoutComments(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
}
