import { availableParallelism, loadavg, totalmem } from "node:os";

/** What of this machine matters to the numbers; nothing that names it. */
export function machineFacts(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores, ${memory} GiB, ${process.arch}, Node ${process.versions.node}, load average ${loadavg()[0]?.toFixed(1)} at the end`;
}
