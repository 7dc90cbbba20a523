import type { Toxic } from "../twin-faults.ts";

/** What the harness tells or asks the proxy: one JSON line on its standard input, which only the engine's owner reaches. */
export type ProxyCommand =
  | { readonly op: "know"; readonly address: string; readonly service: string }
  | { readonly op: "toxics"; readonly link: string; readonly toxics: readonly Toxic[] }
  | { readonly op: "traffic"; readonly link: string }
  | { readonly op: "probe"; readonly link: string; readonly helloBase64: string; readonly waitMs: number }
  | { readonly op: "echo"; readonly link: string; readonly bytes: number; readonly waitMs: number };

/** The answer with the command's number, one JSON line on standard output; number 0 says that the proxy listens. */
export type ProxyAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };
