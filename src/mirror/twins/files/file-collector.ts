import { createHash } from "node:crypto";
import { LIMITS } from "../../../core/limits.ts";
import { resourcePath } from "../../../plan/resource-pattern.ts";
import type { FileListing } from "../../twin-surroundings.ts";
import { type FileFact, fileText, GONE } from "./file-facts.ts";

/** Gathers what a look at a twin finds. */
export interface FileCollector {
  /** One layer or volume, whose files are added in a fixed order. */
  root(at: RootPlace): RootCollector;
  unseen(what: string): void;
  listing(): FileListing;
}

/** Where a layer or volume stands in the grammar, and since when its process runs. */
export interface RootPlace {
  /** First segments of every path, e.g. `["file", "api"]`. */
  readonly prefix: readonly string[];
  /** Files written from here on count as written since the start. */
  readonly startedMs: number;
}

/** Takes the files of one layer or volume within the limits. */
export interface RootCollector {
  /** @param image - the same place in the image, where it has one: what is equal there is left out */
  add(segments: readonly string[], fact: FileFact, image?: FileFact): void;
  /** The image has it, the container not any more. */
  gone(segments: readonly string[], image: FileFact | undefined): void;
  /** Changed files that are too many to look at one by one. */
  uncompared(text: string): void;
  /** Whether a content of this size may still be read. */
  claim(bytes: number): boolean;
  unseen(what: string): void;
}

/** An empty look. */
export function fileCollector(): FileCollector {
  // Replicas may hold different files under one path: all their texts together are its value.
  const texts = new Map<string, Set<string>>();
  const inImage = new Map<string, string>();
  const sinceStart = new Set<string>();
  const unseen = new Set<string>();
  const closers: (() => void)[] = [];
  const put = (path: string, text: string): void => {
    texts.set(path, (texts.get(path) ?? new Set()).add(text));
  };
  return {
    root: ({ prefix, startedMs }) => {
      const rest = createHash("sha256");
      let [count, more, bytesLeft] = [0, 0, LIMITS.comparedVolumeBytesMax as number];
      closers.push(() => {
        const digest = rest.digest("hex").slice(0, 16);
        if (more > 0)
          put(`${resourcePath(...prefix)}/(uncompared)`, `${more} more files, too many to compare (${digest})`);
      });
      return {
        add: (segments, fact, image) => {
          const [text, imageText] = [fileText(fact), image === undefined ? undefined : fileText(image)];
          if (text === imageText) return;
          const path = resourcePath(...prefix, ...segments);
          if (++count > LIMITS.filesComparedMax) {
            more++;
            rest.update(`${path}\0${text}\0${fact.writtenMs}\0`);
            return;
          }
          put(path, text);
          if (imageText !== undefined) inImage.set(path, imageText);
          if (fact.writtenMs >= startedMs) sinceStart.add(path);
        },
        gone: (segments, image) => {
          const path = resourcePath(...prefix, ...segments);
          put(path, GONE);
          inImage.set(path, image === undefined ? "as in the image" : fileText(image));
        },
        uncompared: (text) => put(`${resourcePath(...prefix)}/(uncompared)`, text),
        claim: (bytes) => {
          if (bytes > LIMITS.comparedFileBytesMax || bytes > bytesLeft || count >= LIMITS.filesComparedMax)
            return false;
          bytesLeft -= bytes;
          return true;
        },
        unseen: (what) => void unseen.add(what),
      };
    },
    unseen: (what) => void unseen.add(what),
    listing: () => {
      for (const close of closers) close();
      return {
        files: Object.fromEntries([...texts].map(([path, all]) => [path, [...all].sort().join(" | ")])),
        inImage: Object.fromEntries(inImage),
        sinceStart: [...sinceStart].sort(),
        unseen: [...unseen].sort(),
      };
    },
  };
}
