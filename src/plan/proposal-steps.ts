import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { UrlPath } from "./step-words.ts";

const Host = z.string().regex(/^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/, "a lower-case host name");
const Title = z.string().min(1).max(300);
const LongText = z.string().max(LIMITS.proposalCharsMax);

/** Opens a ticket with a third party of the mirror (`x-canary: stubs`); any status from 200 to 299 counts as landed. */
export const TicketStep = z.strictObject({
  uses: z.literal("ticket"),
  with: z.strictObject({ host: Host, path: UrlPath.default("/tickets"), title: Title, body: LongText.min(1) }),
});

/** Proposes a change of code to a third party of the mirror; any status from 200 to 299 counts as landed. */
export const PullRequestStep = z.strictObject({
  uses: z.literal("pull-request"),
  with: z.strictObject({
    host: Host,
    repository: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, "owner/name"),
    title: Title,
    body: LongText.default(""),
    branch: z.string().regex(/^(?!.*\.\.)[\w][\w./-]{0,199}$/, "a branch name"),
    /** A unified diff. */
    diff: LongText.min(1),
  }),
});
