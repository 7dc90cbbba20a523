/** Tables that only grow. */
const APPEND_ONLY = ["ledger", "entries", "subjects", "claims", "subtrees", "checkpoints", "documents"] as const;

/**
 * The whole schema; every statement may be run again. Triggers refuse what changes a row to everybody, also to the owner, who would
 * have to take them away first; docs/ledger.md gives the rights of a role that can not.
 */
export const POSTGRES_SCHEMA: string = [
  "CREATE SCHEMA IF NOT EXISTS canary_ledger",
  `CREATE TABLE IF NOT EXISTS canary_ledger.ledger (
     id smallint PRIMARY KEY CHECK (id = 1), schema text NOT NULL, origin text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS canary_ledger.head (
     id smallint PRIMARY KEY CHECK (id = 1), size bigint NOT NULL, frontier bytea NOT NULL, note text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS canary_ledger.entries (
     idx bigint PRIMARY KEY CHECK (idx >= 0), entry bytea NOT NULL, leaf bytea NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS canary_ledger.subjects (
     idx bigint NOT NULL, subject text COLLATE "C" NOT NULL, kind text NOT NULL, PRIMARY KEY (idx, subject))`,
  "CREATE INDEX IF NOT EXISTS subjects_by_subject ON canary_ledger.subjects (subject, kind, idx)",
  `CREATE TABLE IF NOT EXISTS canary_ledger.claims (
     claim text COLLATE "C" PRIMARY KEY, idx bigint NOT NULL UNIQUE)`,
  `CREATE TABLE IF NOT EXISTS canary_ledger.subtrees (
     level smallint NOT NULL, idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, idx))`,
  "CREATE TABLE IF NOT EXISTS canary_ledger.checkpoints (size bigint PRIMARY KEY, note text NOT NULL)",
  `CREATE TABLE IF NOT EXISTS canary_ledger.documents (
     sha256 text COLLATE "C" PRIMARY KEY, bytes bytea NOT NULL)`,
  `CREATE OR REPLACE FUNCTION canary_ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'the ledger only grows: % of % refused', TG_OP, TG_TABLE_NAME; END $$`,
  `CREATE OR REPLACE FUNCTION canary_ledger.only_forward() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN
       IF NEW.size <= OLD.size OR NEW.id <> OLD.id THEN
         RAISE EXCEPTION 'the ledger only grows: its head can not go from % to %', OLD.size, NEW.size;
       END IF;
       RETURN NEW;
     END $$`,
  ...APPEND_ONLY.map((table) => refusal(table, "UPDATE OR DELETE OR TRUNCATE")),
  refusal("head", "DELETE OR TRUNCATE"),
  `CREATE OR REPLACE TRIGGER only_forward BEFORE UPDATE ON canary_ledger.head
     FOR EACH ROW EXECUTE FUNCTION canary_ledger.only_forward()`,
].join(";\n");

function refusal(table: string, operations: string): string {
  return `CREATE OR REPLACE TRIGGER refuse_change BEFORE ${operations} ON canary_ledger.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION canary_ledger.refuse()`;
}
