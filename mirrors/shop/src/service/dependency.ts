import { reasonOf } from "./log.ts";

/** What the services depend on. */
export type DependencyName = "database" | "cache" | "inventory" | "payments";

/** A dependency did not answer, or not in time. Transient by nature: the caller may try again. */
export class DependencyFailure extends Error {
  override readonly name = "DependencyFailure";
  readonly dependency: DependencyName;

  constructor(dependency: DependencyName, cause: unknown) {
    super(`${dependency}: ${reasonOf(cause)}`, { cause });
    this.dependency = dependency;
  }
}

/** Awaits an answer of a dependency and names it when there is none. */
export async function answerOf<Answer>(dependency: DependencyName, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    throw new DependencyFailure(dependency, cause);
  }
}
