import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askGate, gateAsked } from "../../src/cli/gate-client.ts";

const folder = mkdtempSync(path.join(tmpdir(), "canary-gate-client-"));
const tokenFile = path.join(folder, "token");
/** Nothing listens there: port 1 is for privileged programs, and `fetch` asks no blocked port. */
const NOBODY = "http://127.0.0.1:1";
const SECRET = "vZ1qBd0Yk3";

beforeAll(() => writeFileSync(tokenFile, `${SECRET}\n`));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([`${SECRET}\nmore`, `token  ${SECRET}\ntokenSha256 ab12`, `${SECRET}\u00e9`, `${SECRET}\u0000`])(
  "a token that no header takes is refused before anybody is asked, and not printed: %j",
  async (text) => {
    const file = path.join(folder, "wrong");
    writeFileSync(file, text);
    const thrown = await gateAsked({ gate: NOBODY, tokenFile: file }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "USAGE", message: `${file} holds more than a bearer token` });
    expect(String(thrown)).not.toContain(SECRET);
  },
);

test("where the gate gives no answer, the reason is told", async () => {
  const thrown = askGate(await gateAsked({ gate: NOBODY, tokenFile }), "/", {});
  await expect(thrown).rejects.toMatchObject({
    code: "GATE_UNAVAILABLE",
    message: expect.stringMatching(/gave no answer: fetch failed \(.+\)$/),
  });
});
