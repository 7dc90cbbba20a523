import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { AdmissionReviewSchema } from "../../src/gate/kubernetes/admission-review.ts";
import { freePort } from "../../story/stage.ts";
import { admissionRequest } from "../gate/kubernetes/admission-builder.ts";
import { writeEarnedRun } from "./earned-run.ts";
import { type Told, tell } from "./tell.ts";

/** Some forty processes one after the other: half a minute, and many times that where everything else runs as well. */
const WHOLE_STORY_MS = 900_000;
const PAGE = readFileSync("docs/story.md", "utf8");

/** A folder for a test, which is also where the story makes its own: what it leaves is seen there. */
function scratch() {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-story-test-"));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Tells a page with a verdict that was earned, and looks at what it left. */
async function tellPage(folder: string, page: string): Promise<Told & { readonly left: readonly string[] }> {
  const { bundle, publicKey } = writeEarnedRun(path.join(folder, "run"));
  const file = path.join(folder, "page.md");
  writeFileSync(file, page);
  const told = await tell(["--verdict", bundle, "--key", publicKey, "--page", file], folder);
  return { ...told, left: readdirSync(folder).filter((name) => name.startsWith("canary-story-")) };
}

test("everything goes as docs/story.md tells it, and nothing is left behind", { timeout: WHOLE_STORY_MS }, async () => {
  using it = scratch();
  const told = await tellPage(it.folder, PAGE);
  expect({ ...told, stdout: told.stdout.slice(-2000) }).toMatchObject({ exitCode: 0, stderr: "", left: [] });
  expect(told.stdout).toMatch(/✓ The end: \d+ answers/);
});

test("other programs verify what we sign, as docs/interop.md tells it", { timeout: WHOLE_STORY_MS }, async () => {
  using it = scratch();
  const told = await tellPage(it.folder, readFileSync("docs/interop.md", "utf8"));
  expect({ ...told, stdout: told.stdout.slice(-2000) }).toMatchObject({ exitCode: 0, stderr: "", left: [] });
});

test("the smallest gate of docs/gate.md starts as it is copied and answers what stands below it", {
  timeout: WHOLE_STORY_MS,
}, async () => {
  using it = scratch();
  const section = readFileSync("docs/gate.md", "utf8")
    .split(/^## /m)
    .find((part) => part.startsWith("A gate in a minute\n"));
  const page = `# The gate\n\n## ${section}`.replaceAll("8443", String(await freePort()));
  const told = await tellPage(it.folder, page);
  expect({ ...told, stdout: told.stdout.slice(-2000) }).toMatchObject({ exitCode: 0, stderr: "", left: [] });
  expect(told.stdout).toContain("✓ refused, as it must be: exit 31");
});

const CHAPTER = (...blocks: readonly string[]): string => `# A page\n\n## Chapter\n\n${blocks.join("\n\n")}\n`;
const sh = (...lines: readonly string[]): string => ["```sh", ...lines, "```"].join("\n");
const text = (...lines: readonly string[]): string => ["```text", ...lines, "```"].join("\n");

test.each([
  ["answers something else", CHAPTER(sh("echo no"), text("yes"), sh("echo later")), /says that it answers: yes/],
  [
    "is refused and should not be",
    CHAPTER(sh("canary plan sign none.yaml"), sh("echo later")),
    /ended with 3; this page says 0/,
  ],
  [
    "is let through and should not be",
    CHAPTER(sh("true"), text("exit 31"), sh("echo later")),
    /ended with 0; this page says 31/,
  ],
  ["fails before the last one", CHAPTER(sh("false", "true"), sh("echo later")), /ended with 1/],
  ["ends the shell", CHAPTER(sh("exit 0"), sh("echo later")), /has ended/],
])("the story stops where a command %s, and removes its folder", async (_, page, why) => {
  using it = scratch();
  const told = await tellPage(it.folder, page);
  expect(told).toMatchObject({ exitCode: 1, stderr: "", left: [] });
  expect(told.stdout).toMatch(why);
  expect(told.stdout).not.toContain("later");
});

test("what goes on in the background ends with the story", async () => {
  using it = scratch();
  const told = await tellPage(it.folder, CHAPTER(sh("sleep 600 &", "echo job $!"), text("job …")));
  expect(told.exitCode).toBe(0);
  const job = Number(/job (\d+)/.exec(told.stdout)?.[1]);
  expect(() => process.kill(job, 0)).toThrow(/ESRCH/);
});

test("the request of the story is one that the API server sends", () => {
  const review = JSON.parse(readFileSync("story/admission-review.json", "utf8"));
  expect(AdmissionReviewSchema.safeParse(review).error).toBeUndefined();
  const sent = admissionRequest((object) => {
    object.spec.replicas = 3;
    object.metadata.annotations["canary-harness.dev/plan"] = "sha256:PLAN";
  });
  expect(review.request).toEqual(sent);
});
