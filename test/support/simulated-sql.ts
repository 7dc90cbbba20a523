import type { SqlRow } from "../../src/mirror/twin.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import type { SimulatedDatabase, SimulatedTable } from "./simulated-world.ts";

// As in a run, which has read the plan's SQL by then: simulated time does not wait for a module to load.
await loadSqlParser();

/** Answers a statement the simulation does not know; `undefined` makes it a syntax error. */
export type SqlHandler = (statement: string, database: SimulatedDatabase) => readonly SqlRow[] | undefined;

type Statement = {
  readonly form: RegExp;
  readonly run: (words: readonly string[], database: SimulatedDatabase) => readonly SqlRow[];
};

const NAME = String.raw`"?([\w.]+)"?`;
const LITERAL = String.raw`('(?:[^']|'')*'|NULL|-?[\d.]+|true|false)`;

const STATEMENTS: readonly Statement[] = [
  {
    form: new RegExp(
      String.raw`^CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(IF NOT EXISTS )?${NAME} ON ${NAME}\s*(.*)$`,
      "is",
    ),
    run: ([exists, index = "", table = "", definition = ""], database) => {
      const { indexes } = tableNamed(table, database);
      if (indexes.has(index) && exists === undefined) throw new Error(`relation "${index}" already exists`);
      indexes.set(index, `CREATE INDEX ${index} ON ${table} ${definition}`.trim());
      return [];
    },
  },
  {
    form: new RegExp(`^DROP INDEX (?:CONCURRENTLY )?(IF EXISTS )?${NAME}$`, "is"),
    run: ([exists, index = ""], database) => {
      const found = [...database.tables.values()].some((table) => table.indexes.delete(index));
      if (!found && exists === undefined) throw new Error(`index "${index}" does not exist`);
      return [];
    },
  },
  {
    form: new RegExp(
      String.raw`^UPDATE ${NAME} SET ${NAME}\s*=\s*${LITERAL}(?: WHERE ${NAME}\s*=\s*${LITERAL})?$`,
      "is",
    ),
    run: ([table = "", column = "", value = "", where, equal], database) => {
      const target = tableNamed(table, database);
      for (const [key, row] of target.rows) {
        if (where === undefined || row[where] === literal(equal))
          target.rows.set(key, { ...row, [column]: literal(value) });
      }
      return [];
    },
  },
  {
    form: new RegExp(String.raw`^DELETE FROM ${NAME}(?: WHERE ${NAME}\s*=\s*${LITERAL})?$`, "is"),
    run: ([table = "", where, equal], database) => {
      const target = tableNamed(table, database);
      for (const [key, row] of target.rows) {
        if (where === undefined || row[where] === literal(equal)) target.rows.delete(key);
      }
      return [];
    },
  },
  {
    form: new RegExp(String.raw`^INSERT INTO ${NAME}\s*\(([^)]*)\) VALUES\s*\((.*)\)$`, "is"),
    run: ([table = "", columns = "", values = ""], database) => {
      const target = tableNamed(table, database);
      const given = [...values.matchAll(new RegExp(LITERAL, "gi"))].map((match) => literal(match[1]));
      const named = columns.split(",").map((column) => column.trim());
      const row = Object.fromEntries(target.columns.map((column) => [column, given[named.indexOf(column)] ?? null]));
      const key = String(row[target.primaryKey]);
      if (target.rows.has(key)) throw new Error("duplicate key value violates unique constraint");
      target.rows.set(key, row);
      return [];
    },
  },
  {
    form: new RegExp(String.raw`^ALTER DATABASE ${NAME} (?:SET ${NAME}\s*(?:=|TO)\s*${LITERAL}|RESET ${NAME})$`, "is"),
    run: ([, set, value, reset], database) => {
      if (set !== undefined) database.settings.set(set, literal(value) ?? "");
      if (reset !== undefined) database.settings.delete(reset);
      return [];
    },
  },
  { form: /^(?:SET|RESET) /i, run: () => [] },
  { form: /^SELECT set_config\(/i, run: () => [] },
  { form: /^SET TRANSACTION READ ONLY$/i, run: () => [] },
  { form: /^EXPLAIN /, run: () => [{ "QUERY PLAN": [{ Plan: { "Node Type": "Simulated", "Total Cost": 1 } }] }] },
  { form: /^(?:BEGIN|ROLLBACK)$/, run: () => [] },
];

/**
 * Runs a text of statements, all or nothing, in the few forms the simulation knows (one column, one condition).
 * @throws Error as a database would, for what it does not know or refuses
 */
export function runSimulatedSql(database: SimulatedDatabase, text: string, handler: SqlHandler): readonly SqlRow[] {
  const draft = structuredClone(database);
  let rows: readonly SqlRow[] = [];
  const statements = statementsOf(text);
  for (const statement of statements) rows = runOne(statement, draft, handler);
  if (statements.at(-1) === "ROLLBACK") return rows;
  database.tables = draft.tables;
  database.settings = draft.settings;
  return rows;
}

function runOne(statement: string, database: SimulatedDatabase, handler: SqlHandler): readonly SqlRow[] {
  const answered = handler(statement, database);
  if (answered !== undefined) return answered;
  for (const { form, run } of STATEMENTS) {
    const match = form.exec(statement);
    if (match !== null) return run(match.slice(1), database);
  }
  throw new Error(`syntax error at or near "${statement.slice(0, 40)}"`);
}

function statementsOf(text: string): readonly string[] {
  return (text.match(/(?:'(?:[^']|'')*'|[^;'])+/g) ?? []).map((one) => one.trim()).filter((one) => one !== "");
}

function tableNamed(name: string, database: SimulatedDatabase): SimulatedTable {
  const table = database.tables.get(name);
  if (table === undefined) throw new Error(`relation "${name}" does not exist`);
  return table;
}

function literal(text: string | undefined): string | null {
  if (text === undefined || text.toUpperCase() === "NULL") return null;
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}
