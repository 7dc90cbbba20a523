import { get } from "node:http";
import process from "node:process";

// The container's health check: exit 0 when the URL answers 200, 1 otherwise. Small, because it runs for ever.
get(process.argv[2] ?? "", { timeout: 2_500 }, (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
