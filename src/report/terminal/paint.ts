import { styleText } from "node:util";

/** What a piece of text means; the colours are chosen here and nowhere else. */
export type Tone = "good" | "bad" | "unsure" | "quiet" | "strong" | "control" | "shadow";

export type Paint = (tone: Tone, text: string) => string;

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  good: "green",
  bad: ["red", "bold"],
  unsure: "yellow",
  quiet: "gray",
  strong: "bold",
  control: "cyan",
  shadow: "magenta",
};

/** Colours text, or leaves it alone: a plain terminal, a file and `NO_COLOR` get the same words. */
export function createPaint(options: { readonly color: boolean }): Paint {
  if (!options.color) return (_tone, text) => text;
  return (tone, text) => (text === "" ? "" : styleText(STYLES[tone], text, { validateStream: false }));
}

/**
 * Whether to colour: `NO_COLOR` (any value but the empty one) forbids, `FORCE_COLOR` demands, else only a terminal that is not dumb.
 * @param environment - the environment variables, handed in by `cli`
 */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((environment["NO_COLOR"] ?? "") !== "") return false;
  const forced = environment["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  return stream.isTTY === true && environment["TERM"] !== "dumb";
}
