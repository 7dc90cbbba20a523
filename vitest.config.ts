import { configDefaults, defineConfig } from "vitest/config";

const realWorld = ["test/docker/**", "test/browser/**", "test/scenarios/**"];

/**
 * Three projects: `unit` is fast and parallel; `docker` and `scenarios` use real containers and run one file at a time,
 * because two measurements on the same cores disturb each other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...realWorld],
          testTimeout: 30_000,
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
          name: "scenarios",
          include: ["test/scenarios/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
