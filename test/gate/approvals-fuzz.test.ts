import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { newBrowser, PAGE, signOnWorld } from "./sign-on-world.ts";

afterEach(() => vi.useRealTimers());

/** A text with a few of its characters changed, left out or doubled. */
const changed = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.nat(text.length), fc.nat(2), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 3 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) =>
      changes
        .reduce((now, [at, cut, put]) => now.slice(0, at) + put + now.slice(at + cut), text)
        .replaceAll(/[^ -~]/g, "~"),
    );

/** What of a passkey's answer is looked at, bytes as bytes: the last letter of base64 can be another and mean the same. */
function meaning(body: string): string {
  try {
    const { words, assertion, ...more } = JSON.parse(body);
    const { id, rawId, type, response } = assertion;
    const parts = [response.clientDataJSON, response.authenticatorData, response.signature];
    return JSON.stringify([
      words,
      more,
      id,
      rawId,
      type,
      parts.map((part) => Buffer.from(part, "base64url").toString("hex")),
    ]);
  } catch {
    return "none";
  }
}

/** What makes a provider's answer: the rest of a query is nobody's. */
const ANSWER = ["code", "state", "iss"] as const;
const partOf = (query: string, part: string): readonly string[] => new URLSearchParams(query).getAll(part);

test("of answers and requests to the approvals page with something changed in them none is recorded, none fails inside", async () => {
  await using it = await signOnWorld();
  const browser = newBrowser();
  const { json } = await it.begin(browser);
  const callback = await it.visitProvider(browser, json.location);
  const [[name = "", sealed = ""] = []] = [...(browser.cookies.get(PAGE) ?? [])];
  const about = { purpose: "approve", plan: it.plan.sha256, verdict: it.verdict, environment: "production/eu-west" };
  const asked = (await it.gate.ask("/v1/passkeys/challenge", { body: about })).json;
  const assertion = it.passkeys.ada.answer(asked.challenge);
  const words = JSON.stringify({ words: asked.words, assertion });
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        changed(words)
          .filter((body) => meaning(body) !== meaning(words))
          .map((body) => ({ path: "/v1/passkeys/approve", body, headers: {} })),
        changed(sealed)
          .filter((cookie) => cookie.trim() !== sealed && !cookie.startsWith(`${sealed};`))
          .map((cookie) => ({
            path: `${callback.pathname}${callback.search}`,
            headers: { cookie: `${name}=${cookie}` },
          })),
        changed(JSON.stringify(about)).map((body) => ({ path: "/v1/sign-on/start", body, headers: { origin: PAGE } })),
        changed(callback.search.slice(1))
          .map((query) => query.replaceAll(/[ #]/g, "~"))
          .filter((query) =>
            ANSWER.some((part) => String(partOf(query, part)) !== String(partOf(callback.search, part))),
          )
          .map((query) => ({
            path: `${callback.pathname}?${query}`,
            headers: { cookie: `${name}=${sealed}` },
          })),
      ),
      async ({ path, ...options }) => {
        const { status } = await it.gate.ask(path, { ...options, as: "any" });
        statuses.add(status);
        expect(status).toBeLessThan(500);
        expect(await it.recorded()).toBe(0);
      },
    ),
    { numRuns: 300, seed: 20_261_130 },
  );
  expect([...statuses].filter((status) => status !== 200).sort()).toEqual([400, 422]);
  expect(it.world.reports).toEqual([]);
  // What was changed was right otherwise.
  expect((await it.finish(browser, callback)).status).toBe(303);
});
