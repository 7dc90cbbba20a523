import { configDefaults, defineConfig } from "vitest/config";

const realWorld = ["test/docker/**", "test/browser/**", "test/scenarios/**", "test/nightly/**", "test/postgres/**"];

/**
 * `unit` is fast and parallel; the others use real containers, or a PostgreSQL of their own, and run one file at a time, because two measurements on the
 * same cores disturb each other. CI runs all but `nightly`: rehearsals of minutes each that a night has time for.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...realWorld],
          // On two cores one of them would be left to the main process, which has next to nothing to do.
          maxWorkers: "100%",
          // Simulations of many worlds; a machine with other work on it takes several times as long.
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: "docker",
          include: ["test/docker/**/*.test.ts", "test/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "postgres",
          include: ["test/postgres/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "scenarios",
          include: ["test/scenarios/**/*.test.ts"],
          fileParallelism: false,
          // A noisy machine gets longer blocks and so longer runs; the scenarios allow ten minutes either side of the plan.
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "nightly",
          include: ["test/nightly/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
