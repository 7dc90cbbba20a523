/** What a person needs to decide in place of the harness, on one page; JSON-shaped, secrets and personal data masked. */
export interface Playbook {
  readonly schema: "canary.playbook/v1";
  /** Unique; also the name of its file. */
  readonly id: string;
  /** Who is to decide: a queue that the operator named. */
  readonly queue: string;
  readonly at: string;
  /** Why a machine does not decide, gravest first. */
  readonly because: readonly { readonly code: string; readonly message: string }[];
  readonly plan: {
    readonly name: string;
    readonly sha256: string;
    readonly agent: string;
    readonly environment: string;
    readonly intent: string;
    readonly confidence: number;
    readonly tier: number;
  };
  readonly actions: readonly {
    readonly id: string;
    readonly what: string;
    readonly why: string;
    /** What policy read that it does. */
    readonly does: string;
    readonly rollback: string;
  }[];
  readonly evidence: readonly { readonly kind: string; readonly summary: string; readonly ref?: string | undefined }[];
  /** What was seen, already looked up: one sentence each. */
  readonly diagnostics: readonly string[];
  /** What would let the harness decide. */
  readonly remedies: readonly string[];
  readonly run: { readonly runId: string; readonly folder: string };
}

/** What a person decided. */
export interface Resolution {
  readonly outcome: "approve" | "decline" | "rehearse-again";
  readonly by: string;
  readonly at: string;
  readonly note?: string;
}

export interface Escalation {
  readonly playbook: Playbook;
  /** Absent while nobody has decided. */
  readonly resolution?: Resolution;
}

/** Playbooks that wait for people, in named queues. What is put is never changed; a resolution is written once. */
export interface EscalationQueue {
  put(playbook: Playbook): Promise<void>;
  /** Oldest first. */
  list(): Promise<readonly Escalation[]>;
  /** @throws CanaryError USAGE when there is none of this id, or it was resolved already */
  resolve(id: string, resolution: Resolution): Promise<Escalation>;
}
