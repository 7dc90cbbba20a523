import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { publishVerdict } from "../../src/gate/publish.ts";
import { requestKey } from "../../src/gate/read-evidence.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { newSigner, sqlitePlace } from "../support/ledger-place.ts";
import { gateWorld } from "./gate-world.ts";

test("two gates on one ledger never admit the same verdict twice", async () => {
  await using place = await sqlitePlace();
  const signer = newSigner();
  const open = async () => await openLedger({ store: await place.open(), clock: systemClock, signer });
  await using ledgers = new AsyncDisposableStack();
  const [one, other] = [ledgers.use(await open()), ledgers.use(await open())];
  await using first = await gateWorld({ ledger: one });
  await using second = await gateWorld({ ledger: other });
  second.keyring = first.keyring;
  for (let number = 0; number < 10; number++) {
    const plan = first.plan(number);
    await publishVerdict(first.submission(plan), "ci", first.sources);
    const tries = Array.from({ length: 20 }, async (_, index) => {
      const { service } = index % 2 === 0 ? first : second;
      const answered = await service.answer({
        adapter: "promotions",
        mode: "promote",
        request: {
          plan: plan.sha256,
          environment: plan.target.environment,
          caller: { name: "ci", environments: ["production/*"] },
          change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
          key: requestKey("promotions", [String(index)]),
        },
      });
      return answered.decision.kind;
    });
    expect((await Promise.all(tries)).filter((kind) => kind === "admit")).toHaveLength(1);
  }
});
