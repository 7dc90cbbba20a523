import { z } from "zod";
import type { Route } from "./route.ts";

const JSON_TYPE = "application/json";

/** The OpenAPI 3.1 document of the routes: made of the same schemas that read and write, so that it cannot say otherwise. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths = new Map<string, Record<string, unknown>>();
  for (const route of routes) {
    const item = paths.get(route.path) ?? {};
    paths.set(route.path, { ...item, [route.method.toLowerCase()]: operation(route) });
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "canary gate",
      version,
      description:
        "Refuses every promotion of an agent's plan that no signed verdict carries. Describes what this very gate serves: hooks of clusters, GitHub and webhooks and the approvals page are there only where its configuration names them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        certificate: { type: "mutualTLS" },
      },
    },
    paths: Object.fromEntries(paths),
  };
}

function operation(route: Route): object {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const isOpen = route.access === "open" || route.access === "signed" || names.includes("key");
  return {
    summary: route.summary,
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^A-Za-z0-9]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replaceAll(/\W/g, "")}`,
    "x-permission": route.access,
    security: isOpen ? [] : [{ bearer: [] }, { certificate: [] }],
    ...(names.length === 0
      ? {}
      : { parameters: names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })) }),
    ...(route.request === undefined
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: schemaOf(route.request, "input") } } } }),
    responses: Object.fromEntries(
      Object.entries(route.replies).map(([status, { description, schema }]) => [
        status,
        schema === undefined
          ? { description }
          : { description, content: { [contentType(Number(status), schema)]: { schema: schemaOf(schema, "output") } } },
      ]),
    ),
  };
}

function contentType(status: number, schema: z.ZodType): string {
  const isProblem = status >= 400 && schema instanceof z.ZodObject && "code" in schema.shape && "title" in schema.shape;
  return isProblem ? "application/problem+json" : JSON_TYPE;
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
