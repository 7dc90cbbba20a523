import { messageOf } from "../../core/errors.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { SqlRow } from "../twin.ts";
import { type DatabaseName, databasePath } from "./postgres-schema.ts";

/** What PostgreSQL itself writes into its folder: rows, logs, locks. Settings of `postgresql.auto.conf` are told one by one. */
const WRITTEN_BY_THE_SERVER = [
  "base",
  "global",
  "lost+found",
  "core",
  "current_logfiles",
  "backup_label.old",
  "log",
  "pg_commit_ts",
  "pg_dynshmem",
  "pg_log",
  "pg_logical",
  "pg_multixact",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat",
  "pg_stat_tmp",
  "pg_subtrans",
  "pg_tblspc",
  "pg_twophase",
  "pg_wal",
  "pg_xact",
  "postgresql.auto.conf",
  "postmaster.opts",
  "postmaster.pid",
] as const;

const FILE_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 1_000;
const DEPTH_MAX = 4;

/** Everything else in the folder: who may log in, keys, configuration, and what somebody put there. */
const SERVER_FILES_SQL = `
  WITH RECURSIVE found (name, depth, size, written, folder) AS (
    SELECT one, 1, s.size, s.modification, s.isdir FROM pg_ls_dir('.') AS one CROSS JOIN LATERAL pg_stat_file(one, true) AS s
     WHERE one <> ALL ($1) AND one <> split_part(current_setting('log_directory'), '/', 1)
    UNION ALL
    SELECT found.name || '/' || one, depth + 1, s.size, s.modification, s.isdir
      FROM found CROSS JOIN LATERAL pg_ls_dir(found.name, true, false) AS one CROSS JOIN LATERAL pg_stat_file(found.name || '/' || one, true) AS s
     WHERE found.folder AND depth < ${DEPTH_MAX})
  SELECT name, CASE WHEN folder THEN 'folder' WHEN size > ${FILE_BYTES_MAX} THEN size || ' bytes, written ' || written
           ELSE size || ' bytes, sha256:' || left(encode(sha256(pg_read_binary_file(name, 0, size, true)), 'hex'), 16) END AS content
    FROM found WHERE folder IS NOT NULL LIMIT ${FILES_MAX}`;

/**
 * The files that lie beside the data in PostgreSQL's own folder, as `db/<service>/<database>/schema/server-file/<path>` to size
 * and digest. The server reads them itself, so that it does not matter where the folder lies.
 * @returns `unseen` where they could not be read: one of them may not be readable for the server either
 */
export async function serverFiles(
  database: DatabaseName,
  query: (text: string, parameters: readonly unknown[]) => Promise<readonly SqlRow[]>,
): Promise<{ readonly resources: Readonly<Record<ResourcePath, string>>; readonly unseen: readonly string[] }> {
  try {
    const rows = await query(SERVER_FILES_SQL, [WRITTEN_BY_THE_SERVER]);
    const path = (name: unknown): ResourcePath =>
      `${databasePath(database)}/schema/${resourcePath("server-file", ...String(name).split("/"))}`;
    return {
      resources: Object.fromEntries(rows.map((row) => [path(row["name"]), String(row["content"])])),
      unseen: [],
    };
  } catch (cause) {
    if (!refused(cause)) throw cause;
    return { resources: {}, unseen: [`files in the data folder of ${database.service}: ${messageOf(cause)}`] };
  }
}

/** Permission denied, or the file is gone: everything else is no answer about files. */
function refused(cause: unknown): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return ["42501", "58P01", "58030"].includes(code);
}
