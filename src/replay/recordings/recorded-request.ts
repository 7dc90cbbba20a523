/** One request of a recording in the one form that all formats are read into. */
export interface RecordedRequest {
  /** From the first request of the recording, ms, ascending over the list. */
  readonly offsetMs: number;
  readonly method: string;
  /** Path and query, `/a?b=c`; printable ASCII. */
  readonly path: string;
  /** Names in lower case, alternating with values; without host, length, connection headers and credentials. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly route: string;
}

/** A recording as read, with what was left out and why; nothing is dropped silently. */
export interface LoadedRecording {
  readonly requests: readonly RecordedRequest[];
  readonly left: {
    /** Methods that the scenario does not replay. */
    readonly otherMethod: number;
    /** Entries that are not a usable request (garbage lines, absolute-form paths of proxies, broken HTTP). */
    readonly unusable: number;
    /** Requests beyond the limit. */
    readonly beyondLimit: number;
  };
}
