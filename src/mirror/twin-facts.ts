/** How the twins were raised; goes into the verdict. */
export interface TwinFacts {
  readonly isolation: "strict" | "standard";
  /** Core set per twin, e.g. `{ control: "0", shadow: "1" }`; `shared` when the machine has too few. */
  readonly cores:
    | { readonly kind: "pinned"; readonly control: string; readonly shadow: string }
    | { readonly kind: "shared" };
  /** Image id per service. */
  readonly images: Readonly<Record<string, string>>;
  readonly engine: string;
  /** Settings that both twins' servers were started with beside the mirror's own, per service; absent where there are none. */
  readonly addedSettings?: Readonly<Record<string, readonly string[]>>;
  /** From first engine call to both twins ready, ms; whether prepared images existed already. */
  readonly raiseMs: number;
  readonly prepared: boolean;
}
