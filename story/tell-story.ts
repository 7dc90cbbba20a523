import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { messageOf } from "../src/core/errors.ts";
import { type Narrator, narrator } from "./narrator.ts";
import { type Chapter, missingLine, readPage, type Scene } from "./read-page.ts";
import { openShell, type Shell } from "./shell.ts";
import { setStage } from "./stage.ts";

// `npm run story`: runs the commands of docs/story.md and checks what they answer. Exit 0 when all went as told, 1 at the first that did not.

const ROOT = path.resolve(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    verdict: { type: "string" },
    key: { type: "string", default: path.join(".canary", "keys", "canary.pub") },
    page: { type: "string", default: path.join(ROOT, "docs", "story.md") },
    pause: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

process.exitCode = await main(narrator(process.stdout));

async function main(say: Narrator): Promise<number> {
  const stopping = new AbortController();
  // What runs has the signal too (one terminal, one group of processes) and ends in its own way; we go on to clean up.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  // A terminal that was closed takes no more words, and everything is removed all the same.
  process.stdout.on("error", () => stopping.abort());
  try {
    return await tell(say, stopping.signal);
  } catch (error) {
    const isStopped = stopping.signal.aborted || (error instanceof Error && error.name === "AbortError");
    say.otherwise(isStopped ? "stopped" : messageOf(error));
    return 1;
  }
}

async function tell(say: Narrator, signal: AbortSignal): Promise<number> {
  const page = readFileSync(options.page, "utf8");
  const chapters = readPage(page);
  const hasVerdict = options.verdict !== undefined;
  if (!hasVerdict && !canRehearse()) return 1;
  await using stage = await setStage({
    root: ROOT,
    isKept: options.keep,
    ...(options.verdict === undefined ? {} : { earned: { bundle: options.verdict, publicKey: options.key } }),
  });
  await using shell = openShell(stage);
  say.title(
    (/^# (.*)$/m.exec(page)?.[1] ?? "").trim(),
    options.keep ? `in ${stage.folder}` : "in a folder that is removed afterwards",
  );
  let checked = 0;
  for (const [index, chapter] of chapters.entries()) {
    say.chapter(index + 1, chapters.length, chapter.title);
    const told = await tellChapter(chapter, { say, shell, hasVerdict, signal });
    if (told === undefined) return 1;
    checked += told;
    if (options.pause && index < chapters.length - 1) await turnPage(signal);
  }
  say.asTold(`The end: ${checked} answers were as this page tells them.`);
  return 0;
}

/** How many answers were checked; `undefined` where one was not as told. */
async function tellChapter(
  { scenes, ending }: Chapter,
  with_: {
    readonly say: Narrator;
    readonly shell: Shell;
    readonly hasVerdict: boolean;
    readonly signal: AbortSignal;
  },
): Promise<number | undefined> {
  const { say, shell, hasVerdict, signal } = with_;
  for (const scene of scenes) {
    for (const paragraph of scene.words) say.words(paragraph);
    if (scene.isRehearsal && hasVerdict) say.asTold("a verdict was given (--verdict): it stands in for this rehearsal");
    else if (!(await play(scene, say, shell))) return undefined;
    signal.throwIfAborted();
  }
  for (const paragraph of ending) say.words(paragraph);
  return scenes.length;
}

async function play({ commands, shows, exitCode }: Scene, say: Narrator, shell: Shell): Promise<boolean> {
  for (const [index, command] of commands.entries()) {
    const isLast = index === commands.length - 1;
    say.command(command);
    const answer = await shell.run(command, say.output).catch(() => undefined);
    if (answer === undefined) {
      say.otherwise("the shell that the story is told in has ended");
      return false;
    }
    const expected = isLast ? exitCode : 0;
    if (answer.exitCode !== expected) {
      say.otherwise(`it ended with ${answer.exitCode}; this page says ${expected}`);
      return false;
    }
    const missing = isLast ? missingLine(shows, answer.output) : undefined;
    if (missing !== undefined) {
      say.otherwise(`this page says that it answers: ${missing}`);
      return false;
    }
  }
  if (exitCode !== 0) say.asTold(`refused, as it must be: exit ${exitCode}`);
  else if (shows.length > 0) say.asTold("as told");
  return true;
}

function canRehearse(): boolean {
  const doctor = spawnSync(process.execPath, ["bin/canary.js", "doctor", "--fix"], { cwd: ROOT, stdio: "inherit" });
  return doctor.status === 0;
}

async function turnPage(signal: AbortSignal): Promise<void> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  // Enter, or the end of what there is to read.
  const closed = once(reader, "close", { signal });
  await Promise.race([reader.question("\n  (Enter goes on) ", { signal }), closed]);
  reader.close();
}
