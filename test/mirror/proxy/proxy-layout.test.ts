import fc from "fast-check";
import { expect, test } from "vitest";
import { dependenciesOf, layOut, linkName } from "../../../src/mirror/proxy/proxy-layout.ts";
import type { DependencyLink } from "../../../src/mirror/twin-faults.ts";
import { cache, db, echo, miniMirror } from "../../docker/fixtures/mini/mini-mirror.ts";

test("dependencies follow depends_on and the stores' ports where none are declared", () => {
  const worker = { ...echo, name: "worker", dependsOn: [{ ...echo.dependsOn[0], service: "echo" }] };
  const spec = miniMirror({ services: [echo, worker, db, cache] as never });
  expect(dependenciesOf(spec).map(linkName)).toEqual(["echo>db:5432", "worker>echo:8080"]);
});

test("declared dependencies stand in place of derived ones", () => {
  const declared = [{ from: "echo", to: "cache", port: 6379 }];
  expect(dependenciesOf(miniMirror({ dependencies: declared }))).toEqual(declared);
});

test("what one caller reaches on the same port goes over different proxies, everything else shares one", () => {
  const links: DependencyLink[] = [
    { from: "api", to: "db", port: 5432 },
    { from: "worker", to: "db", port: 5432 },
    { from: "api", to: "users", port: 8080 },
    { from: "api", to: "carts", port: 8080 },
  ];
  expect(layOut(links).map((proxy) => proxy.map(linkName).sort())).toEqual([
    ["api>carts:8080", "api>db:5432", "worker>db:5432"],
    ["api>users:8080"],
  ]);
});

test("every link is carried once, and no proxy carries two that it could not tell apart", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const link = fc.record({ from: name, to: name, port: fc.constantFrom(80, 81) });
  fc.assert(
    fc.property(fc.uniqueArray(link, { selector: linkName, maxLength: 20 }), (links) => {
      const proxies = layOut(links);
      expect(proxies.flat().map(linkName).sort()).toEqual(links.map(linkName).sort());
      for (const proxy of proxies) {
        const callers = proxy.map(({ from, port }) => `${from}:${port}`);
        expect(new Set(callers).size).toBe(callers.length);
        for (const { to } of proxy)
          expect(proxy.filter((one) => one.to === to)).toHaveLength(links.filter((one) => one.to === to).length);
      }
    }),
  );
});
