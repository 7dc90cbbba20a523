import { redact } from "../core/redact.ts";
import { encodeSegment } from "../plan/resource-pattern.ts";
import type { SampledAnswer } from "../replay/sampled-pair.ts";
import { isDeeperThan, type JsonDifference, jsonDifferences } from "./json-difference.ts";
import { maskedBytes, maskedExample } from "./masked-example.ts";

/**
 * How the shadow's answer differs from the control's: a member it lacks or has more, of another type, of another value, in
 * another order, of another length.
 */
export const DIFFERENCE_KINDS = ["missing", "extra", "type", "value", "order", "size"] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** One place in which two answers differ. */
export interface ResponseDifference {
  /** `status`, `header/<name>`, `body/<member>/…`, as in `docs/resources.md` below `response/<route>/`. */
  readonly path: string;
  readonly kind: DifferenceKind;
  /** Both values, masked; made only where it is kept, since most are not. */
  readonly example: () => { readonly control: string; readonly shadow: string };
}

/** Deeper documents are compared as text. */
const LEVELS_MAX = 64;
const SEGMENTS_MAX = 24;
const KEY_CHARS_MAX = 100;
/** Places told of one pair; more of them are one difference of the whole body. */
const PLACES_MAX = 100;
/** These belong to the connection or follow from the body, which is compared itself. */
const FRAMING = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "content-length",
]);
/** From here on the status is gRPC's, and the body its message as JSON. */
const GRPC_STATUS = 1000;

/**
 * Compares two answers to the same request. Where the status differs nothing else is compared: an error says other things.
 * Each place is told once, whatever number of list elements it stands for.
 */
export function responseDifferences(control: SampledAnswer, shadow: SampledAnswer): readonly ResponseDifference[] {
  if (control.status !== shadow.status) {
    const example = (): ReturnType<ResponseDifference["example"]> => {
      return { control: String(control.status), shadow: String(shadow.status) };
    };
    return [{ path: "status", kind: "value", example }];
  }
  const all = [...headerDifferences(control.headers, shadow.headers), ...bodyDifferences(control, shadow)];
  const once = [...new Map(all.toReversed().map((one) => [`${one.kind} ${one.path}`, one])).values()].toReversed();
  if (once.length <= PLACES_MAX) return once;
  return [...once.slice(0, PLACES_MAX), { path: "body/(more)", kind: "value", example: wholeBodies(control, shadow) }];
}

function headerDifferences(
  control: SampledAnswer["headers"],
  shadow: SampledAnswer["headers"],
): readonly ResponseDifference[] {
  const names = [...new Set([...Object.keys(control), ...Object.keys(shadow)])].filter((name) => !FRAMING.has(name));
  return names.toSorted().flatMap((name): readonly ResponseDifference[] => {
    const [before, after] = [joined(control[name]), joined(shadow[name])];
    if (before === after) return [];
    const kind = after === undefined ? "missing" : before === undefined ? "extra" : "value";
    return [named({ place: ["header", name], kind, control: before, shadow: after })];
  });
}

function bodyDifferences(control: SampledAnswer, shadow: SampledAnswer): readonly ResponseDifference[] {
  const [before, after] = [documentOf(control), documentOf(shadow)];
  if (before !== undefined && after !== undefined) return jsonDifferences(before.json, after.json, ["body"]).map(named);
  const example = wholeBodies(control, shadow);
  if ((before === undefined) !== (after === undefined)) return [{ path: "body", kind: "type", example }];
  if (control.bodyBytes !== shadow.bodyBytes) return [{ path: "body", kind: "size", example }];
  return sameBytes(control.body, shadow.body) ? [] : [{ path: "body", kind: "value", example }];
}

/** The body as JSON where it says that it is, is whole, and is not nested beyond reason. */
function documentOf({ status, headers, body, bodyBytes }: SampledAnswer): { readonly json: unknown } | undefined {
  const type = joined(headers["content-type"]) ?? "";
  if (bodyBytes > body.length || !(status >= GRPC_STATUS || /\bjson\b/i.test(type))) return undefined;
  const text = new TextDecoder().decode(body);
  if (isDeeperThan(text, LEVELS_MAX)) return undefined;
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function named({ place, kind, control, shadow }: JsonDifference): ResponseDifference {
  const cut = place.length > SEGMENTS_MAX ? [...place.slice(0, SEGMENTS_MAX), "(deeper)"] : place;
  return {
    path: cut.map((key) => encodeSegment(redact(key).slice(0, KEY_CHARS_MAX))).join("/"),
    kind,
    example: () => ({ control: maskedExample(place, control), shadow: maskedExample(place, shadow) }),
  };
}

function wholeBodies(control: SampledAnswer, shadow: SampledAnswer): ResponseDifference["example"] {
  return () => ({
    control: maskedBytes(control.body, control.bodyBytes),
    shadow: maskedBytes(shadow.body, shadow.bodyBytes),
  });
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
