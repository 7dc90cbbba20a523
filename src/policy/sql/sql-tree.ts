import type { Node } from "libpg-query";

type KeysOf<Union> = Union extends unknown ? keyof Union : never;
/** Name of a node of PostgreSQL's parse tree, e.g. `SelectStmt`. */
export type SqlKind = KeysOf<Node>;
/** What a node of that name holds. */
export type SqlBody<Kind extends SqlKind> = Extract<Node, Record<Kind, unknown>>[Kind];

/**
 * Every named member of a tree at any depth, the root's own included: wrapped nodes under their kind (`FuncCall`), plain
 * members under their field (`lockingClause`). Without recursion, so that no nesting is too deep.
 */
export function* membersOf(tree: unknown): Generator<readonly [name: string, value: unknown]> {
  const waiting: unknown[] = [tree];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) {
      waiting.push(...next.toReversed());
      continue;
    }
    if (typeof next !== "object" || next === null) continue;
    const members = Object.entries(next);
    for (const member of members) yield member;
    for (const [, value] of members.toReversed()) if (value !== undefined) waiting.push(value);
  }
}

/** All nodes of one kind, at any depth. */
export function nodesOf<Kind extends SqlKind>(tree: unknown, kind: Kind): readonly SqlBody<Kind>[] {
  return [...membersOf(tree)].flatMap(([name, value]) => (name === kind ? [value as SqlBody<Kind>] : []));
}

/** The words of a dotted name: a list of strings (`[schema, table]`), or one string. */
export function wordsOf(name: Node | readonly Node[] | undefined): readonly string[] {
  if (name === undefined) return [];
  if (Array.isArray(name)) return name.flatMap((part: Node) => wordsOf(part));
  const node = name as Node;
  if ("String" in node) return [node.String.sval ?? ""];
  if ("List" in node) return wordsOf(node.List.items);
  if ("TypeName" in node) return wordsOf(node.TypeName.names);
  if ("ObjectWithArgs" in node) return wordsOf(node.ObjectWithArgs.objname);
  if ("RangeVar" in node) return [node.RangeVar.schemaname, node.RangeVar.relname].flatMap((word) => word ?? []);
  return [];
}
