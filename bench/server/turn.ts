// What the programs of this folder tell one another, in lines of JSON.

/** What is asked of a server. */
export interface Load {
  readonly port: number;
  readonly path: string;
  /** Each connection sends these in turn. */
  readonly bodies: readonly string[];
  /** Numbers in the vector of every answer. */
  readonly width: number;
  readonly connections: number;
  readonly seconds: number;
  /** The server's process. */
  readonly pid: number;
}

/** What came of it. */
export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds from request to answer. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were not right, and requests without an answer. */
  readonly failed: number;
  /** Milliseconds of processor time a request, of the server and of the load generator. */
  readonly serverMs: number;
  readonly loadMs: number;
}

/** What is asked of the library: texts one after the other, or all in one call. */
export interface LibraryTurn {
  readonly texts: readonly string[];
  readonly seconds: number;
  readonly isBulk: boolean;
}

/** What came of it. */
export interface LibraryRates {
  readonly perSecond: number;
  /** Milliseconds of a text; NaN in bulk. */
  readonly p50: number | null;
  /** Milliseconds of processor time a text. */
  readonly processorMs: number;
}
