import { parseArgs } from "node:util";
import { seededRandom } from "../../src/core/random.ts";
import type { FieldState } from "../../src/judge/response-changes.ts";
import * as answers from "../../test/judge/support/simulated-answers.ts";

// How often honest twins are rejected for their answers, and how often a planted change is found. See README.md beside this file.

const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "1000" }, "first-seed": { type: "string", default: "1" } },
});
const runs = Number(flags.runs);
const seeds = Array.from({ length: runs }, (_, i) => Number(flags["first-seed"]) + i);
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

const TIMELINES: Readonly<Record<string, answers.Timeline>> = {
  "60 s before, 40 s in force": { before: 60, settling: 5, inForce: 40, undoing: 3, after: 36 },
  "130 s before, 80 s in force": answers.USUAL,
  "310 s before, 150 s in force": { before: 310, settling: 60, inForce: 150, undoing: 10, after: 70 },
};

/** Why honest twins answer differently; each with a size of its own in each run. */
const NOISE: Readonly<Record<string, (seed: number, random: () => number) => answers.Process>> = {
  "ids: always": () => answers.always,
  "race, 12 to 24% of pairs": (_seed, random) => answers.race(0.12 + 0.12 * random()),
  "race, up to 2%": (_seed, random) => answers.race(0.02 * random()),
  "race of 12% that doubles or trebles with the load": (_seed, random) =>
    answers.drifting(0.12, 2 + random(), 60 + 400 * random(), 6.28 * random()),
  "race of 0.4% that gets six times as frequent": (_seed, random) =>
    answers.drifting(0.004, 6, 60 + 400 * random(), 6.28 * random()),
  "bursts of 3 s, one a minute": (seed) => answers.spells(seed * 3 + 1, { everySeconds: 60, lengthSeconds: 3 }),
  "bursts of 5 s, one in five minutes": (seed) => answers.spells(seed * 3 + 4, { everySeconds: 300, lengthSeconds: 5 }),
  "twins' states part for good, some answers show it": (seed, random) => answers.parted(seed * 3 + 6, random(), 150),
  "twins' states part for good, all answers show it": (seed) => answers.parted(seed * 3 + 8, 1, 300),
  "spells of 10 s, one a minute": (seed) => answers.spells(seed * 3 + 2, { everySeconds: 60, lengthSeconds: 10 }),
  "spells of a minute, one in two": (seed) => answers.spells(seed * 3 + 3, { everySeconds: 60, lengthSeconds: 60 }),
  "spells of a minute, one in five": (seed) => answers.spells(seed * 3 + 5, { everySeconds: 300, lengthSeconds: 60 }),
};

function honest(state: FieldState, word: string): void {
  console.log(`\n## Honest twins: ${word} for this place, of ${runs} runs from seed ${flags["first-seed"]}\n`);
  const names = Object.keys(NOISE);
  const counts = names.map(() => Object.keys(TIMELINES).map(() => 0));
  for (const [column, timeline] of Object.values(TIMELINES).entries()) {
    for (const seed of seeds) {
      const random = seededRandom(seed * 31 + 7);
      const fields = names.map((name, i) => ({
        path: `body/${i}`,
        differs: NOISE[name]?.(seed, random) ?? answers.always,
      }));
      const ratePerSecond = [0.3, 1, 2][seed % 3] ?? 2;
      const judged = answers.judgeSimulated({ seed, timeline, fields, ratePerSecond });
      for (const field of judged.routes[0]?.fields ?? []) {
        const counted = counts[Number(field.path.split("/")[1])];
        if (field.state === state && counted !== undefined) counted[column] = (counted[column] ?? 0) + 1;
      }
    }
  }
  row(["noise", ...Object.keys(TIMELINES)]);
  row(Array.from({ length: 4 }, () => "---"));
  for (const [i, name] of names.entries()) row([name, ...(counts[i] ?? [])]);
}

function planted(): void {
  const shares = [1, 0.5, 0.3, 0.2, 0.1];
  console.log(`\n## A planted change: found, of ${runs} runs (80 s in force, an id and two races beside it)\n`);
  row(["pairs a second", ...shares.map((share) => `${100 * share}% of answers`)]);
  row(Array.from({ length: shares.length + 1 }, () => "---"));
  for (const ratePerSecond of [2, 1, 0.5, 0.2]) {
    const found = shares.map((share) => {
      const fields = [
        { path: "body/x", differs: answers.whileInForce(answers.USUAL, share) },
        { path: "body/id", differs: answers.always },
        { path: "body/race", differs: answers.race(0.2) },
        { path: "body/rare", differs: answers.race(0.01) },
      ];
      const hits = seeds.filter((seed) =>
        answers
          .judgeSimulated({ seed, timeline: answers.USUAL, fields, ratePerSecond })
          .routes[0]?.fields.some(({ path, state }) => path === "body/x" && state === "changed"),
      );
      return `${((100 * hits.length) / runs).toFixed(1)}%`;
    });
    row([ratePerSecond, ...found]);
  }
}

honest("changed", "rejected");
honest("lasting", "held");
planted();
