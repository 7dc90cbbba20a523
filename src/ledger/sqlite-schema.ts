/** Marks the file as ours for tools that look (`file`, `sqlite3`): "cnry". */
export const SQLITE_APPLICATION_ID = 0x636e7279;

/** Tables that only grow; what would change or remove a row is refused by the database itself. */
const APPEND_ONLY = ["ledger", "entries", "subjects", "claims", "subtrees", "checkpoints", "documents"] as const;

/** REPLACE deletes without asking the triggers of DELETE: what is there already may not be inserted either. */
const KEY_OF: Readonly<Record<(typeof APPEND_ONLY)[number], string>> = {
  ledger: "id = NEW.id",
  entries: "idx = NEW.idx",
  subjects: "idx = NEW.idx AND subject = NEW.subject",
  claims: "claim = NEW.claim OR idx = NEW.idx",
  subtrees: "level = NEW.level AND idx = NEW.idx",
  checkpoints: "size = NEW.size",
  documents: "sha256 = NEW.sha256",
};

/** The whole schema; every statement may be run again. */
export const SQLITE_SCHEMA: string = [
  `CREATE TABLE IF NOT EXISTS ledger (
     id INTEGER PRIMARY KEY CHECK (id = 1), schema TEXT NOT NULL, origin TEXT NOT NULL) STRICT`,
  `CREATE TABLE IF NOT EXISTS head (
     id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL, note TEXT NOT NULL) STRICT`,
  `CREATE TABLE IF NOT EXISTS entries (
     idx INTEGER PRIMARY KEY CHECK (idx >= 0), entry BLOB NOT NULL, leaf BLOB NOT NULL) STRICT`,
  `CREATE TABLE IF NOT EXISTS subjects (
     idx INTEGER NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (idx, subject)) STRICT, WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS subjects_by_subject ON subjects (subject, kind, idx)",
  `CREATE TABLE IF NOT EXISTS claims (
     claim TEXT PRIMARY KEY, idx INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS subtrees (
     level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT",
  "CREATE TABLE IF NOT EXISTS documents (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
  ...APPEND_ONLY.flatMap((table) => [
    refusal(table, "UPDATE", ""),
    refusal(table, "DELETE", ""),
    refusal(table, "INSERT", `WHEN EXISTS (SELECT 1 FROM ${table} WHERE ${KEY_OF[table]})`),
  ]),
  refusal("head", "DELETE", ""),
  refusal("head", "INSERT", "WHEN EXISTS (SELECT 1 FROM head)"),
  refusal("head", "UPDATE", "WHEN NEW.size <= OLD.size OR NEW.id <> OLD.id"),
].join(";\n");

function refusal(table: string, operation: string, when: string): string {
  return `CREATE TRIGGER IF NOT EXISTS ${table}_refuse_${operation.toLowerCase()} BEFORE ${operation} ON ${table} ${when}
    BEGIN SELECT RAISE(ABORT, 'the ledger only grows: ${operation} of ${table} refused'); END`;
}
