import type { WriteStream } from "node:tty";
import { styleText } from "node:util";

/** Says on a terminal (or into a file, without colours) what happens. */
export interface Narrator {
  readonly title: (text: string, note: string) => void;
  readonly chapter: (number: number, of: number, title: string) => void;
  readonly words: (paragraph: string) => void;
  readonly command: (text: string) => void;
  /** What a command writes, as it comes. */
  readonly output: (text: string) => void;
  readonly asTold: (text: string) => void;
  readonly otherwise: (text: string) => void;
}

const COLUMNS_MAX = 110;
const MARGIN = "  ";
const BAR = "│ ";

/** A narrator that writes to a stream. */
export function narrator(out: NodeJS.WriteStream | WriteStream): Narrator {
  const columns = Math.min(COLUMNS_MAX, out.columns ?? COLUMNS_MAX);
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    styleText(format, text, { stream: out });
  const say = (text = ""): void => void out.write(`${text}\n`);
  let unfinished = "";
  const outputLine = (line: string): void => {
    for (const part of wrapped(line, columns - MARGIN.length - BAR.length))
      say(`${MARGIN}${style("dim", BAR)}${style("dim", part)}`);
  };
  const finishLine = (): void => {
    if (unfinished !== "") outputLine(unfinished);
    unfinished = "";
  };
  return {
    title: (text, note) => say(`\n${style("bold", text)}\n${style("dim", note)}`),
    chapter: (number, of, title) => say(`\n${style(["bold", "cyan"], `${number}/${of}  ${title}`)}`),
    words: (paragraph) => {
      say();
      for (const line of wrapped(plainWords(paragraph), columns)) say(line);
    },
    command: (text) => {
      say();
      for (const [index, line] of text.split("\n").entries())
        say(`${MARGIN}${style("green", index === 0 ? "$" : " ")} ${style("bold", line)}`);
    },
    output: (text) => {
      const lines = `${unfinished}${text}`.split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) outputLine(line);
    },
    asTold: (text) => {
      finishLine();
      say(`${MARGIN}${style(["bold", "green"], "✓")} ${style("green", text)}`);
    },
    otherwise: (text) => {
      finishLine();
      say(`${MARGIN}${style(["bold", "red"], `✗ ${text}`)}`);
    },
  };
}

/** Markdown of one paragraph, without its marks. */
function plainWords(paragraph: string): string {
  return paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\*\*|`/g, "");
}

/** Lines of at most so many characters, broken between words where there are any. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const at = space > width / 2 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
