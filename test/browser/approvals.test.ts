import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../support/chromium.ts";
import { auditPage, paleTexts } from "../support/page-audit.ts";
import { type ApprovalsWorld, approvalsWorld, enrol, type PersonAtBrowser, personAt } from "./approvals-world.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

const button = ({ page }: PersonAtBrowser, name: "passkey" | "single sign-on") =>
  page.getByRole("button", { name: new RegExp(`Approve .*${name}`) });
const region = ({ page }: PersonAtBrowser, name: string) => page.getByRole("region", { name });

/** A verdict that nobody can approve. */
const REJECTED: NonNullable<Parameters<ApprovalsWorld["publish"]>[0]> = {
  change: (plan) => {
    plan["intent"] = "Drain it faster";
  },
  verdict: {
    verdict: { kind: "reject", reasons: [{ code: "SLO_OUTSIDE_RANGE", message: "checkout p95 +31% is outside +10%" }] },
  },
};

test("two people read the plan and approve with their passkeys, and each sees what that has changed", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  await using ada = await personAt(browser);
  await enrol(ada, "ada@example.com", it);
  await ada.page.goto(it.pageOf(plan));
  const glance = region(ada, "WAITS FOR APPROVAL");
  for (const words of [
    "Scale worker from 1 to 3",
    "PROMOTE: checkout-latency +1.2%; undo proven",
    "0 of 2",
    "2 more people have to approve, strongly authenticated.",
  ]) {
    expect(await glance.getByText(words, { exact: true }).isVisible()).toBe(true);
  }
  expect(await region(ada, "What will change").getByText("service/worker/replicas").isVisible()).toBe(true);
  expect(await region(ada, "What was measured").getByText("the truth lies in -3% to +5.5%").isVisible()).toBe(true);
  await button(ada, "passkey").click();
  await region(ada, "Who has approved").getByText("ada@example.com").waitFor();
  expect(await glance.getByText("1 of 2: ada@example.com").isVisible()).toBe(true);
  // The row that is new has the focus, so that it is what a screen reader reads.
  expect(await ada.page.evaluate<string>("document.activeElement.closest('li')?.textContent")).toContain(
    "ada@example.com",
  );
  expect(await it.isAdmitted(plan)).toBe(false);

  await using grace = await personAt(browser);
  await enrol(grace, "grace@example.com", it);
  await grace.page.goto(it.pageOf(plan));
  await button(grace, "passkey").click();
  await region(grace, "APPROVED").getByText("2 of 2: ada@example.com, grace@example.com").waitFor();
  expect(await grace.page.getByText("Nobody is missing.").first().isVisible()).toBe(true);
  expect(await it.isAdmitted(plan)).toBe(true);
  expect([...ada.noise, ...grace.noise]).toEqual([]);
});

test("who had a hand in the plan is told so, and nothing is recorded", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  const { world } = it;
  const withOwner = world.keyring.keys.map((key) =>
    key.role === "agent" ? { ...key, owner: "linus@example.com" } : key,
  );
  world.keyring = { keys: withOwner };
  await using linus = await personAt(browser);
  await enrol(linus, "Linus@example.com", it);
  await linus.page.goto(it.pageOf(plan));
  expect(await linus.page.getByText("having had a hand in it: agent-7, linus@example.com").isVisible()).toBe(true);
  await button(linus, "passkey").click();
  const said = linus.page.getByRole("status");
  await said
    .getByText("Not approved: Linus@example.com had a hand in the plan, so somebody else must agree.")
    .waitFor();
  expect(await it.recorded(plan)).toBe(0);
});

test("a person whom the authenticator does not recognise is told so, and can try again", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  await using ada = await personAt(browser);
  await enrol(ada, "ada@example.com", it);
  await ada.page.goto(it.pageOf(plan));
  await ada.confirms(false);
  await button(ada, "passkey").click();
  await ada.page.getByRole("status").getByText("Not approved: you did not confirm it").waitFor();
  expect(await it.recorded(plan)).toBe(0);
  await ada.confirms(true);
  await button(ada, "passkey").click();
  await ada.page.getByText("1 of 2: ada@example.com").waitFor();
});

test("a person takes back what they approved, and the page counts anew", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  await using ada = await personAt(browser);
  await enrol(ada, "ada@example.com", it);
  await ada.page.goto(it.pageOf(plan));
  await button(ada, "passkey").click();
  await ada.page.getByText("1 of 2: ada@example.com").waitFor();
  await ada.page.getByText("Take an approval back").click();
  await ada.page.getByRole("button", { name: "Take mine back with a passkey" }).click();
  await region(ada, "Who has approved").getByText("Nobody yet.").waitFor();
  expect(await region(ada, "WAITS FOR APPROVAL").getByText("0 of 2").isVisible()).toBe(true);
});

test("a person signs on at the provider and comes back to a page that shows their approval", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  await using ada = await personAt(browser);
  await ada.page.goto(it.pageOf(plan));
  await button(ada, "single sign-on").click();
  const row = region(ada, "Who has approved").getByRole("listitem");
  await row.getByText("ada@example.com").waitFor();
  expect(await row.textContent()).toMatch(/strongly authenticated\s+by single sign-on/);
  expect(ada.page.url()).toMatch(new RegExp(`^${it.pageOf(plan)}#by-`));
  expect(await ada.page.context().cookies(it.origin)).toEqual([]);
  expect(ada.noise).toEqual([]);
});

test("a person whom the operator has not listed reads what to give to the operator, and finds back", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  it.provider.account = { sub: "provider-99" };
  await using eve = await personAt(browser);
  await eve.page.goto(it.pageOf(plan));
  await button(eve, "single sign-on").click();
  await eve.page.getByRole("alert").getByText("the gate does not know whose account this is").waitFor();
  expect(await eve.page.getByText('"account":"provider-99"').isVisible()).toBe(true);
  await eve.page.getByRole("link", { name: "Back to the plan" }).click();
  await region(eve, "WAITS FOR APPROVAL").getByText("0 of 2").waitFor();
});

test("a plan whose verdict cannot be admitted says why, and offers nothing to press", async () => {
  await using it = await approvalsWorld();
  await using ada = await personAt(browser);
  await ada.page.goto(it.pageOf(await it.publish(REJECTED)));
  const glance = region(ada, "BLOCKED");
  expect(await glance.getByText("REJECT: checkout p95 +31% is outside +10%").isVisible()).toBe(true);
  expect(await glance.getByText("Nobody can approve it").isVisible()).toBe(true);
  expect(await ada.page.getByRole("button").count()).toBe(0);
});

test("what an agent writes is read and never run, and cannot turn the page's own words round", async () => {
  await using it = await approvalsWorld();
  const hostile = `</p></main><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>\u202eETIR\u202c\u200b\u0007`;
  const plan = await it.publish({
    change: (document) => {
      document["intent"] = hostile;
      document["evidence"] = [{ kind: "metric", summary: hostile, ref: hostile }];
      const [action] = document["actions"] as Record<string, unknown>[];
      document["actions"] = [
        { ...action, what: hostile, why: hostile, uses: "sql", with: { service: "db", statements: [hostile] } },
      ];
    },
    verdict: { verdict: { kind: "promote", reasons: [{ code: "ALL_SHOWN", message: hostile }] } },
  });
  await using ada = await personAt(browser);
  await ada.page.goto(it.pageOf(plan));
  expect(await ada.page.title()).toBe("Approve scale-batch-workers");
  // The page's own script, and nothing else that could run or load.
  expect((await auditPage(ada.page)).active).toBe(1);
  const shown = await ada.page.evaluate<string>("document.body.innerText");
  expect([..."\u0007\u200b\u202c\u202e"].filter((deceptive) => shown.includes(deceptive))).toEqual([]);
  expect(await region(ada, "What will change").getByText("<script>").first().isVisible()).toBe(true);
  expect(ada.noise).toEqual([]);
});

test("everything is done with the keyboard alone, and what has the focus is seen", async () => {
  await using it = await approvalsWorld();
  const plan = await it.publish();
  await using ada = await personAt(browser);
  const { keyboard } = ada.page;
  await enrol(ada, "ada@example.com", it);
  await ada.page.goto(it.pageOf(plan));
  const stops: string[] = [];
  const focused = "document.activeElement.innerText";
  while (stops.at(-1) !== "Approve with a passkey" && stops.length < 20) {
    await keyboard.press("Tab");
    stops.push(await ada.page.evaluate<string>(focused));
    const outlinePx = await ada.page.evaluate<number>(
      "parseFloat(getComputedStyle(document.activeElement).outlineWidth) * (getComputedStyle(document.activeElement).outlineStyle === 'none' ? 0 : 1)",
    );
    expect(outlinePx).toBeGreaterThanOrEqual(2);
  }
  expect(stops).toEqual(["Go to the approvals", "Approve with a passkey"]);
  await ada.confirms(false);
  await keyboard.press("Enter");
  await ada.page.getByRole("status").getByText("Not approved").waitFor();
  expect(await ada.page.evaluate<string>(focused)).toBe("Approve with a passkey");
  await ada.confirms(true);
  await keyboard.press("Space");
  await ada.page.getByText("1 of 2: ada@example.com").waitFor();
});

/** Every page of the gate, as it looks at its fullest. */
async function pagesOf(it: ApprovalsWorld): Promise<readonly string[]> {
  const plan = await it.publish();
  await using ada = await personAt(browser);
  await enrol(ada, "ada@example.com", it);
  await ada.page.goto(it.pageOf(plan));
  await button(ada, "passkey").click();
  await ada.page.getByText("1 of 2: ada@example.com").waitFor();
  const rejected = await it.publish(REJECTED);
  return [
    it.pageOf(plan),
    it.pageOf(rejected),
    `${it.origin}/approvals/enrol`,
    `${it.origin}/approvals/sign-on/callback?error=access_denied`,
  ];
}

test("every page has contrast in light and in dark, fits every width, and can be pressed with a thumb", async () => {
  await using it = await approvalsWorld();
  const pages = await pagesOf(it);
  for (const scheme of ["light", "dark"] as const) {
    for (const width of [320, 400, 1200]) {
      await using person = await personAt(browser, { width, scheme });
      for (const url of pages) {
        await person.page.goto(url);
        await person.page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
        expect(await paleTexts(person.page), `${url} ${scheme}`).toEqual([]);
        expect((await auditPage(person.page)).overflowPx, `${url} ${width}`).toBeLessThanOrEqual(0);
        const sizes = await person.page.evaluate<readonly number[]>(
          "[...document.querySelectorAll('button, input, a.button')].flatMap((one) => { const { width, height } = one.getBoundingClientRect(); return [width, height]; })",
        );
        for (const px of sizes) expect(px).toBeGreaterThanOrEqual(44);
      }
    }
  }
});

test("every page has one heading of the first level, headings in order, and a name for all that can be used", async () => {
  await using it = await approvalsWorld();
  await using person = await personAt(browser);
  for (const url of await pagesOf(it)) {
    await person.page.goto(url);
    const { headingLevels: levels, bareTables } = await auditPage(person.page);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [i, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[i - 1] ?? 0) + 1);
    expect(bareTables).toBe(0);
    const nameless = await person.page.evaluate<number>(
      "[...document.querySelectorAll('button, a, input')].filter((one) => (one.textContent || one.labels?.[0]?.textContent || '').trim() === '').length + [...document.querySelectorAll('section')].filter((one) => !one.hasAttribute('aria-labelledby') && !one.hasAttribute('role')).length",
    );
    expect(nameless, url).toBe(0);
    const ids = await person.page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('[id]')].map(({ id }) => id)",
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(await person.page.evaluate<string>("document.documentElement.lang")).toBe("en");
    expect(await person.page.getByRole("main").count()).toBe(1);
  }
});
