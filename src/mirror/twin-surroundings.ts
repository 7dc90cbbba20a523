// Contract: what a twin tells of everything that lies around its stores.

/** What lies in the containers of a twin and in its volumes; see `FileListing` for what is left out. */
export interface FileListing {
  /**
   * `file/<service>/<path>`, `volume/<name>/<path>` and `bind/<path in the mirror>/<path>` to kind, mode, owner, size and digest.
   * Of a container's own layer only what is not as in its image; `gone` where the image's file is not there any more.
   */
  readonly files: Readonly<Record<string, string>>;
  /** What the image holds under those paths of `files` that it knows. */
  readonly inImage: Readonly<Record<string, string>>;
  /** Those of `files` that were written since the process of their container started. */
  readonly sinceStart: readonly string[];
  /** What the engine writes for each container, without its own addresses and names: paths to texts as in `files`. */
  readonly ofEngine?: Readonly<Record<string, string>>;
  /** Places that could not be looked at, with the reason. */
  readonly unseen: readonly string[];
}

/** A flag file that the mirror declares, as it is now. */
export interface FlagFile {
  readonly service: string;
  readonly path: string;
  /** Under which path of `FileListing.files` it would stand. */
  readonly resource: string;
  /** Absent where there is no such file, or no replica that could hold it. */
  readonly text?: string;
  /** Why it could not be read, e.g. replicas that hold different ones. */
  readonly problem?: string;
}

/** A line of a service's output that looks like trouble. */
export interface ErrorPattern {
  readonly service: string;
  /** The line with everything that counts or is drawn at random replaced by `*`; secrets masked. */
  readonly pattern: string;
  /** The first such line, secrets masked, shortened. */
  readonly example: string;
}

/** A process of a replica: its main one, or one that descends from it. */
export interface ServiceProgram {
  readonly service: string;
  /** Of no other replica of this twin. */
  readonly replica: string;
  /** Name of the program as its command line has it, without folders. */
  readonly name: string;
  /** It runs its parent's program, as servers do for connections and workers. */
  readonly forked: boolean;
}
