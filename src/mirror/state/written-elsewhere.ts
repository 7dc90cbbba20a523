import type { Difference, Fingerprint, ResourcePath } from "../fingerprint.ts";
import { valuesDiffering } from "./values-differing.ts";

/**
 * Databases of a twin's servers that are not compared and were written to between two looks. Rows are counted for ever, so that
 * nothing puts such a write back. A server that crashed has lost its counts, those of the compared database too: that is no write.
 */
export function writtenElsewhere(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  return valuesDiffering(before.written ?? {}, after.written ?? {}).filter(
    ({ path, kind, before: was = "", after: is = "" }) =>
      kind === "changed" &&
      rows(was) !== rows(is) &&
      !isCompared(path, after) &&
      !byTheServerItself(was, is) &&
      (total(is) >= total(was) || !lostItsCounts(serverOf(path), before, after)),
  );
}

/** Upkeep of the server's own writes without a client that had connected meanwhile. */
function byTheServerItself(was: string, is: string): boolean {
  const clients = (counted: string): string | undefined => SESSIONS.exec(counted)?.[1];
  return clients(was) !== undefined && clients(was) === clients(is);
}

const SESSIONS = /, (\d+) sessions$/;

/** Without the clients: one that only read has written nothing. */
function rows(counted: string): string {
  return counted.replace(SESSIONS, "");
}

/** Every database whose schema was read is compared as rows. */
function isCompared(path: ResourcePath, { resources }: Fingerprint): boolean {
  const schema = path.replace(/rows$/, "schema/");
  return Object.keys(resources).some((resource) => resource.startsWith(schema));
}

function lostItsCounts(server: string, before: Fingerprint, after: Fingerprint): boolean {
  const counts = Object.entries(before.written ?? {})
    .filter(([path, counted]) => path.startsWith(server) && total(counted) > 0)
    .map(([path, counted]) => ({ was: total(counted), is: total(after.written?.[path] ?? "0") }));
  return counts.every(({ was, is }) => is < was);
}

/** `db/<service>/`. */
function serverOf(path: ResourcePath): string {
  return `${path.split("/").slice(0, 2).join("/")}/`;
}

function total(counted: string): number {
  return [...rows(counted).matchAll(/\d+/g)].reduce((sum, [digits]) => sum + Number(digits), 0);
}
