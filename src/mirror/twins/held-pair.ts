import { invariant } from "../../core/invariant.ts";
import type { TwinProxies } from "../proxy/raise-proxies.ts";
import type { ContainerRuntime, Role, TwinPair } from "../twin.ts";
import type { TwinFacts } from "../twin-facts.ts";
import { faultSwitches } from "./fault-switches.ts";
import { type Holding, presently } from "./holding.ts";
import { type AttachOptions, attachTwins } from "./reattach.ts";
import { swapCores } from "./swap-cores.ts";

/** The pair as its user sees it, whoever holds it: a drill lets this process die and be followed by the next one. */
export function pairOf(made: {
  readonly dependencies: Omit<AttachOptions, "folder" | "signal">;
  readonly options: Parameters<ContainerRuntime["raise"]>[0];
  readonly facts: TwinFacts;
  readonly first: Holding;
  readonly opened: AsyncDisposableStack;
}): TwinPair {
  const { dependencies, options, facts, first, opened } = made;
  const { folder } = options;
  const proxiesOf = (role: Role): TwinProxies | undefined => first[role].raised.proxies;
  let held = first;
  const reattach = async (signal: AbortSignal): Promise<void> => {
    invariant(folder !== undefined, "only what is on disk can be taken hold of again");
    await held[Symbol.asyncDispose]();
    held = opened.use((await attachTwins({ ...dependencies, folder, signal }, proxiesOf)).held);
  };
  return {
    spec: options.spec,
    control: presently(() => held.control.twin),
    shadow: presently(() => held.shadow.twin),
    facts,
    ...(options.proxied === undefined ? {} : { faults: presently(() => faultSwitches(held.shadow)) }),
    ...(folder === undefined ? {} : { reattach }),
    swapCores: (signal) => swapCores([held.control.raised, held.shadow.raised], signal),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
