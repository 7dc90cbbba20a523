import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { LIMITS } from "../../core/limits.ts";
import type { SampledAnswer, SampledPair } from "../sampled-pair.ts";

const DECODERS: Readonly<Record<string, typeof gunzipSync>> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/**
 * The pair with bodies as their readers see them: compressed ones would differ from the first different byte on. What cannot
 * be decoded, or is longer than is compared, stays as it came. Runs in the run's process, where it delays no request.
 */
export function decoded(pair: SampledPair): SampledPair {
  const { control, shadow } = pair.answers;
  return { ...pair, answers: { control: decodedAnswer(control), shadow: decodedAnswer(shadow) } };
}

function decodedAnswer(answer: SampledAnswer | undefined): SampledAnswer | undefined {
  const coding = answer?.headers["content-encoding"];
  const decode = typeof coding === "string" ? DECODERS[coding.toLowerCase()] : undefined;
  if (answer === undefined || decode === undefined || answer.bodyBytes > answer.body.length) return answer;
  try {
    const body = decode(answer.body, { maxOutputLength: LIMITS.sampledBodyBytesMax });
    return { ...answer, body, bodyBytes: body.length };
  } catch {
    return answer;
  }
}
