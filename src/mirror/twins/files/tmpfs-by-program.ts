import { PassThrough } from "node:stream";
import type { Docker } from "../engine.ts";
import { eachEntry } from "./archive-files.ts";
import type { RootCollector } from "./file-collector.ts";
import type { Skip } from "./host-files.ts";

/**
 * Reads a tmpfs with the container's own `tar`: the engine's archives do not show what only processes see.
 * @returns why it could not be read, `undefined` when it was
 */
export async function tmpfsByProgram(
  container: ReturnType<Docker["getContainer"]>,
  target: string,
  how: {
    readonly skip: Skip;
    readonly to: RootCollector;
    readonly signal: AbortSignal;
    readonly as: readonly string[];
  },
): Promise<string | undefined> {
  const argv = ["tar", "-C", target, "-cf", "-", "."];
  const exec = await container.exec({ Cmd: argv, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  const stdout = new PassThrough();
  container.modem.demuxStream(stream, stdout, new PassThrough().resume());
  stream.on("end", () => stdout.end());
  try {
    await eachEntry(stdout, how.signal, how.to, (below, fact) => {
      const segments = [...how.as, ...below];
      if (!how.skip(`/${segments.join("/")}`)) how.to.add(segments, fact);
    });
  } catch (cause) {
    how.signal.throwIfAborted();
    // What the program said instead of an archive.
    if (!(cause instanceof Error)) throw cause;
    return "its image has no tar that could read it";
  }
  const { ExitCode } = await exec.inspect();
  return ExitCode === 0 ? undefined : "its image has no tar that could read it";
}
