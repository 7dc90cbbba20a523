import type { Client } from "pg";
import { expect, test } from "vitest";
import { runNumbered } from "../../../src/mirror/writes/actor-transactions.ts";

const REFUSED = Object.assign(new Error("cannot run inside a transaction block"), { code: "25001" });

/** What a server is asked, and when it is told that statements were sent; `refuses` what it takes in no transaction. */
async function told(
  statements: readonly string[],
  how: { readonly transaction?: boolean; readonly stop?: AbortController; readonly refuses?: string } = {},
): Promise<readonly string[]> {
  const { transaction = false, stop = new AbortController(), refuses } = how;
  const events: string[] = [];
  const client = {
    query: async (text: string) => {
      const [first = ""] = text.split("\n");
      events.push(first);
      if (text.includes("COMMIT") && refuses !== undefined && text.includes(refuses)) throw REFUSED;
      return text.includes("COMMIT") ? [{ rows: [{ id: "7" }] }, { rows: [] }] : [{ rows: [{ id: "7" }] }];
    },
  } as unknown as Client;
  const onSent = (): void => {
    events.push("(sent)");
    stop.abort(new Error("stopped"));
  };
  const notes = { onTransaction: () => undefined, onMixed: () => undefined };
  const run = runNumbered(client, { statements, transaction, onSent }, notes, stop.signal);
  await run.catch((thrown: unknown) => events.push(String(thrown)));
  return events;
}

test("statements are told to be sent when the server has them, not when a transaction begins", async () => {
  expect(await told(["UPDATE a SET b = 1"], { transaction: true })).toEqual([
    "BEGIN; SELECT txid_current()::text AS id",
    "UPDATE a SET b = 1",
    "(sent)",
  ]);
});

test("a statement that takes no transaction is told of when it runs, not when its transaction is refused", async () => {
  const statement = "CREATE INDEX CONCURRENTLY i ON a (b)";
  const events = await told([statement], { refuses: "CONCURRENTLY" });
  expect(events.slice(-2)).toEqual([statement, "(sent)"]);
  expect(events.filter((one) => one === "(sent)")).toHaveLength(1);
});

test("what was stopped while its transaction was refused does not run after that", async () => {
  const events = await told(["SELECT refuse_transactions()"], { refuses: "refuse" });
  expect(events.filter((one) => one === "SELECT refuse_transactions()")).toHaveLength(1);
  expect(events.at(-1)).toBe("Error: stopped");
});
