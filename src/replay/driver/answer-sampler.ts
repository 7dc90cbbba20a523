import { LIMITS } from "../../core/limits.ts";
import type { SampledAnswer, SampledPair } from "../sampled-pair.ts";
import { DRAW, type RequestRandom } from "../traffic/request-random.ts";
import type { PairSlot } from "./pair-slot.ts";

/** Chooses pairs whose answers are kept, and hands them on when both are there. */
export interface AnswerSampler {
  /** Whether the answers to this request are kept; called once for each, in the order of the list. */
  takes(request: { readonly route: number; readonly sequence: number; readonly intendedMs: number }): boolean;
  /** Hands on the answers of a pair that has ended. */
  append(slot: PairSlot): void;
}

/** Pairs a second over all routes; with more routes than it has room for, each is looked at less often. */
const PAIRS_PER_SECOND_MAX = 40;
/** What may wait for a run that does not read; beyond it nothing is kept until it does. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** An answer without a body. */
const ANSWER_BYTES = 1024;

interface RouteSample {
  slot: number;
  /** Requests of the route in this slot, and in the one before it. */
  seen: number;
  seenBefore: number;
  taken: number;
}

/**
 * At most `perSecond` pairs of each route in a second of the list. Every request is drawn for by the seed and its number, so
 * that bursts that come in the same order again and again are not met at the same place each time; how likely it is drawn
 * follows from how many the second before had.
 * @param send - hands a pair on; calls back when it is gone
 */
export function answerSampler(options: {
  readonly perSecond: number;
  readonly routes: number;
  readonly random: RequestRandom;
  readonly send: (pair: SampledPair, gone: () => void) => void;
}): AnswerSampler {
  const { perSecond, random } = options;
  const slotMs = 1000 * Math.max(1, (options.routes * perSecond) / PAIRS_PER_SECOND_MAX);
  const samples: RouteSample[] = Array.from({ length: options.routes }, () => {
    return { slot: -1, seen: 0, seenBefore: 0, taken: 0 };
  });
  let waitingBytes = 0;
  return {
    takes: ({ route, sequence, intendedMs }) => {
      const sample = samples[route];
      if (sample === undefined || perSecond <= 0) return false;
      enter(sample, Math.floor(intendedMs / slotMs));
      sample.seen += 1;
      if (sample.taken >= perSecond || waitingBytes > WAITING_BYTES_MAX) return false;
      random.at(sequence, DRAW.sample);
      // A little more than the share, since a second that is poor in requests takes what it gets.
      if (random.next() * sample.seenBefore >= perSecond * 1.5) return false;
      sample.taken += 1;
      return true;
    },
    append: ({ sequence, intendedMs, call, arms }) => {
      const answers = { control: arms.control.answer, shadow: arms.shadow.answer };
      const bytes = bytesOf(answers.control) + bytesOf(answers.shadow);
      waitingBytes += bytes;
      options.send({ sequence, atMs: intendedMs, route: call.route, answers }, () => {
        waitingBytes -= bytes;
      });
    },
  };
}

function enter(sample: RouteSample, slot: number): void {
  if (slot === sample.slot) return;
  sample.seenBefore = slot === sample.slot + 1 ? sample.seen : 0;
  sample.slot = slot;
  sample.seen = 0;
  sample.taken = 0;
}

function bytesOf(answer: SampledAnswer | undefined): number {
  return ANSWER_BYTES + (answer?.body.length ?? 0);
}

/** The first bytes of a body that arrived in pieces, as many as are compared. */
export function sampledBody(chunks: readonly Buffer[]): Uint8Array {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return Buffer.concat(chunks, Math.min(bytes, LIMITS.sampledBodyBytesMax));
}
