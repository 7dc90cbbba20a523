import type { SqlRow } from "../twin.ts";
import { relationSql } from "./postgres-rows.ts";
import { type DatabaseName, sequencePath } from "./postgres-schema.ts";
import type { StoreState } from "./store-state.ts";

const SEQUENCES_SQL = `
  SELECT n.nspname::text AS namespace, c.relname::text AS name, s.seqincrement::text AS increment,
         (abs(s.seqincrement::numeric) * s.seqcache)::text AS stride
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname !~ '^pg_(?:temp|toast)' ORDER BY 1, 2`;

/**
 * The last number that each sequence handed out, and how far one draw may take it. It is read from the sequence itself: the view
 * says nothing of one that was set and not drawn from since.
 */
export async function readSequences(
  database: DatabaseName,
  query: (text: string) => Promise<readonly SqlRow[]>,
): Promise<Pick<StoreState, "sequences" | "strides">> {
  const found = (await query(SEQUENCES_SQL)).map((row, place) => {
    const [namespace, name] = [String(row["namespace"]), String(row["name"])];
    return {
      path: sequencePath(database, namespace, name),
      last: `SELECT ${place} AS place, (last_value::numeric - CASE WHEN is_called THEN 0 ELSE ${BigInt(String(row["increment"]))} END)::text AS last
               FROM ${relationSql({ namespace, table: name })}`,
      stride: Number(row["stride"]),
    };
  });
  const values =
    found.length === 0 ? [] : await query(`${found.map(({ last }) => last).join(" UNION ALL ")} ORDER BY place`);
  return {
    sequences: Object.fromEntries(found.map(({ path }, index) => [path, String(values[index]?.["last"])])),
    strides: Object.fromEntries(found.map(({ path, stride }) => [path, stride])),
  };
}
