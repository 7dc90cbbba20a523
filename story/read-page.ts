// docs/story.md is the script: what it shows in `sh` blocks is run, and what stands in the `text` block below must come out.

/** Commands that stand together, and what the last of them answers. */
export interface Scene {
  /** Words between the block before and this one, a paragraph each. */
  readonly words: readonly string[];
  /** Commands as typed into a shell, each whole: continued lines and here-documents stay together. */
  readonly commands: readonly string[];
  /** Lines that must come out in this order, anything between them; `…` stands for anything within a line, and any spaces for one. */
  readonly shows: readonly string[];
  /** Exit code of the last command; every other must end with 0. */
  readonly exitCode: number;
  /** The rehearsal itself, in whose place a verdict can be given. */
  readonly isRehearsal: boolean;
}

/** One section of the page. */
export interface Chapter {
  readonly title: string;
  readonly scenes: readonly Scene[];
  /** Words after the last command. */
  readonly ending: readonly string[];
}

const FENCE = "```";
const REHEARSAL = "rehearsal";
/** Commands that are shown and not run. */
const SHOWN = "console";
const EXIT = /^exit (\d{1,3})$/;

/**
 * Reads the chapters of the page: its sections of the second level.
 * @throws Error naming the line, where a block is none that can be told
 */
export function readPage(markdown: string): readonly Chapter[] {
  const [, ...sections] = markdown.split(/^## /m);
  return sections.map((section) => {
    const [title = "", ...lines] = section.split("\n");
    return { title, ...readScenes(blocksOf(lines, title)) };
  });
}

interface Block {
  /** What stands behind the opening fence; `undefined` for words. */
  readonly kind: string | undefined;
  readonly lines: readonly string[];
}

function blocksOf(lines: readonly string[], title: string): readonly Block[] {
  const blocks: { kind: string | undefined; lines: string[] }[] = [{ kind: undefined, lines: [] }];
  let isOpen = false;
  for (const line of lines) {
    if (line.startsWith(FENCE)) {
      blocks.push({ kind: isOpen ? undefined : line.slice(FENCE.length).trim(), lines: [] });
      isOpen = !isOpen;
    } else blocks.at(-1)?.lines.push(line);
  }
  if (isOpen) throw new Error(`a block is not closed in "${title}"`);
  return blocks;
}

function readScenes(blocks: readonly Block[]): Pick<Chapter, "scenes" | "ending"> {
  const scenes: Scene[] = [];
  let words: readonly string[] = [];
  for (const { kind, lines } of blocks) {
    const [language, mark] = (kind ?? "").split(" ");
    if (kind === SHOWN) continue;
    if (kind === undefined) words = [...words, ...paragraphsOf(lines)];
    else if (language === "sh") {
      const isRehearsal = mark === REHEARSAL;
      scenes.push({ words, commands: commandsOf(lines), shows: [], exitCode: 0, isRehearsal });
      words = [];
    } else if (language === "text" && words.length === 0 && scenes.length > 0) {
      const before = scenes.pop();
      if (before !== undefined) scenes.push({ ...before, ...expectationOf(lines) });
    } else throw new Error(`a block of kind "${kind}" can not be told`);
  }
  return { scenes, ending: words };
}

function paragraphsOf(lines: readonly string[]): readonly string[] {
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.split(/\s+/).join(" ").trim())
    .filter((paragraph) => paragraph !== "");
}

/** A command goes on while its line ends with a backslash, its here-document is open, or what follows is indented or closes it. */
function commandsOf(lines: readonly string[]): readonly string[] {
  const commands: string[] = [];
  let terminator: string | undefined;
  for (const line of lines) {
    const last = commands.at(-1);
    const goesOn = terminator !== undefined || last?.endsWith("\\") === true || /^(?:\s+\S|\}$)/.test(line);
    if (last !== undefined && goesOn) commands[commands.length - 1] = `${last}\n${line}`;
    else if (line.trim() !== "") commands.push(line);
    if (terminator === undefined) terminator = /<<'?([A-Z]+)'?/.exec(line)?.[1];
    else if (line === terminator) terminator = undefined;
  }
  return commands;
}

function expectationOf(lines: readonly string[]): Pick<Scene, "shows" | "exitCode"> {
  const given = lines.map((line) => line.trim()).filter((line) => line !== "");
  const exit = EXIT.exec(given.at(-1) ?? "");
  return exit === null ? { shows: given, exitCode: 0 } : { shows: given.slice(0, -1), exitCode: Number(exit[1]) };
}

/** The first line that should have come out and did not, where its turn was; `undefined` where all came. */
export function missingLine(shows: readonly string[], output: string): string | undefined {
  const lines = output.split("\n");
  let from = 0;
  for (const shown of shows) {
    const at = lines.findIndex((line, index) => index >= from && isShown(shown, line));
    if (at < 0) return shown;
    from = at + 1;
  }
  return undefined;
}

function isShown(pattern: string, line: string): boolean {
  const [first = "", ...rest] = pattern.split("…").map(withSingleSpaces);
  const text = withSingleSpaces(line);
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const at = isLast && part !== "" ? text.lastIndexOf(part) : text.indexOf(part, from);
    if (at < from || (isLast && part !== "" && at + part.length !== text.length)) return false;
    from = at + part.length;
  }
  return true;
}

function withSingleSpaces(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}
