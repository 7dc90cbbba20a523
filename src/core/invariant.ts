/** Thrown only for our own bugs. The CLI prints it with "please report" and exits 70. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** Asserts what must be true at this point; always on. @throws InvariantViolation */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

/** The type checker proves this is unreachable; data from outside the type system still stops here. */
export function assertNever(value: never): never {
  throw new InvariantViolation(`unhandled variant: ${JSON.stringify(value)}`);
}
