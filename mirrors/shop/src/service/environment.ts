/** A process environment as handed over by `runService`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error naming the variable when it is unset or empty */
export function textFrom(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === "") throw new Error(`environment variable ${name} is not set`);
  return value;
}

/**
 * A whole number between `min` and `max`, both included.
 * @throws Error naming the variable, its value and the bounds
 */
export function countFrom(
  environment: Environment,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const text = textFrom(environment, name);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= bounds.min && value <= bounds.max) return value;
  throw new Error(`environment variable ${name} is "${text}", not a whole number from ${bounds.min} to ${bounds.max}`);
}

/** A TCP port, 1 to 65535. */
export function portFrom(environment: Environment, name: string): number {
  return countFrom(environment, name, { min: 1, max: 65_535 });
}
