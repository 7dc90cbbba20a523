/** How a command of the host ended; one that does not exist is an answer, not an error. */
export type CommandResult =
  | { readonly kind: "exited"; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "missing" };

/** What the container engine says about itself, as raw as it came. */
export type EngineAnswer =
  | { readonly kind: "answers"; readonly info: unknown; readonly imageNames: readonly string[] }
  | { readonly kind: "silent"; readonly why: string };

/** The machine as the doctor may see and change it. Tests pass a simulated one; `nodeHost` is the real one. */
export interface Host {
  /** As Node names it: `linux`, `darwin`, ... */
  readonly platform: string;
  /** As Node writes it: `v24.21.0`. */
  readonly nodeVersion: string;
  /** Numeric user, 0 for root; undefined where the platform has none. */
  readonly userId: number | undefined;
  /** DOCKER_HOST as this process was started with. */
  readonly dockerHost: string | undefined;
  /** Cores this process may use. */
  coreCount(): number;
  /** Memory that can be had without swapping. */
  availableMemoryBytes(): number;
  /** Space that this user may still fill on the file system of `path`; undefined when it cannot be seen. */
  freeDiskBytes(path: string): Promise<number | undefined>;
  /** Text of a file; undefined when there is none or it may not be read. */
  readText(path: string): Promise<string | undefined>;
  /** Whether this user may write to `path`. */
  writeAccess(path: string): Promise<"granted" | "denied" | "missing">;
  /** Asks the engine that a run would use. Never rejects but for the signal. */
  askEngine(signal: AbortSignal): Promise<EngineAnswer>;
  /**
   * Runs a command without a shell and without input. `onLine` gets each line of its error stream as it comes;
   * of both streams only the end is kept.
   * @throws CanaryError DEADLINE_EXCEEDED after `timeoutMs`; signal.reason when aborted
   */
  run(
    command: string,
    args: readonly string[],
    options: {
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
      readonly onLine?: ((line: string) => void) | undefined;
    },
  ): Promise<CommandResult>;
}
