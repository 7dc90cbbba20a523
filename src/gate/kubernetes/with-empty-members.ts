type Members = Readonly<Record<string, unknown>>;

/**
 * A workload in which members that plans reach into are there, if empty: to Kubernetes no variables and an empty list of
 * them are the same, and only so the first variable is told as a variable.
 */
export function withEmptyMembers(workload: Members): Members {
  return inside(workload, "spec", (spec) =>
    inside(spec, "template", (template) =>
      inside(
        inside(template, "metadata", (metadata) => ({ ...metadata, annotations: metadata["annotations"] ?? {} })),
        "spec",
        (pod) => ({ ...pod, containers: containersOf(pod) }),
      ),
    ),
  );
}

function containersOf({ containers }: Members): unknown {
  if (!Array.isArray(containers)) return containers;
  return containers.map((container: unknown) => {
    if (!isObject(container)) return container;
    const { env, resources } = container;
    const withBounds = (bounds: Members): Members => ({
      ...bounds,
      limits: bounds["limits"] ?? {},
      requests: bounds["requests"] ?? {},
    });
    const bounds = resources ?? {};
    return { ...container, env: env ?? [], resources: isObject(bounds) ? withBounds(bounds) : bounds };
  });
}

function inside(object: Members, name: string, change: (member: Members) => Members): Members {
  const member = object[name];
  return isObject(member) ? { ...object, [name]: change(member) } : object;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
