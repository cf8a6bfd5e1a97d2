/** One symbol for every copy and realm: Symbol.for's registry belongs to the whole thread. */
const brand = Symbol.for('bertha-encoder.BerthaError');

/** What has to be done about an error: the call corrected, the model's files, the load, the device, or this system. */
export type ErrorKind = 'usage' | 'model' | 'busy' | 'device' | 'system';

interface Outcome {
  readonly exitCode: 1 | 2;
  readonly httpStatus: number;
}

/** How a command ends and what a server answers, unless the code's own row says otherwise. */
const outcomes: Readonly<Record<ErrorKind, Outcome>> = {
  usage: { exitCode: 2, httpStatus: 422 },
  model: { exitCode: 1, httpStatus: 500 },
  busy: { exitCode: 1, httpStatus: 503 },
  device: { exitCode: 1, httpStatus: 500 },
  system: { exitCode: 1, httpStatus: 500 },
};

/** The one table of codes. Exit code 2 is for the command line; a text that a command was given to read ends it with 1. */
const rows = {
  // Calls
  INVALID_ARG: { kind: 'usage', exitCode: 1 },
  INVALID_OPTION: { kind: 'usage' },
  INVALID_IDS: { kind: 'usage', exitCode: 1 },
  MAX_LENGTH: { kind: 'usage', exitCode: 1 },
  INPUT_TOO_LARGE: { kind: 'usage', exitCode: 1, httpStatus: 413 },
  NO_HEAD: { kind: 'model' },
  NO_MASK: { kind: 'usage', exitCode: 1 },
  NO_GRADIENT: { kind: 'model' },
  NOT_CONVERGED: { kind: 'model' },
  EMPTY_INPUT: { kind: 'usage', exitCode: 1 },
  INVALID_LABEL: { kind: 'usage' },
  UNKNOWN_WORD: { kind: 'usage', exitCode: 1 },
  DATASET: { kind: 'usage', exitCode: 1 },
  DISPOSED: { kind: 'busy' },
  ABORTED: { kind: 'busy' },
  QUEUE_FULL: { kind: 'busy', httpStatus: 429 },
  DEADLINE: { kind: 'busy', httpStatus: 504 },
  OUT_OF_MEMORY: { kind: 'system' },
  NON_FINITE: { kind: 'model' },
  USAGE: { kind: 'usage' },
  // Training
  CHECKPOINT: { kind: 'model' },
  CHECKPOINT_MISMATCH: { kind: 'usage' },
  LOCKED: { kind: 'busy' },
  // Stores and queues
  STORE: { kind: 'system' },
  STORE_MISMATCH: { kind: 'usage' },
  QUEUE: { kind: 'system' },
  // This machine
  ADDON_LOAD: { kind: 'system' },
  REFERENCE: { kind: 'model' },
  CALIBRATION: { kind: 'model' },
  DEVICE: { kind: 'device' },
  PRECISION: { kind: 'device' },
  ISA: { kind: 'device' },
  DEVICE_OOM: { kind: 'device' },
  DEVICE_LOST: { kind: 'device' },
  THREADS: { kind: 'system' },
  MODEL_NOT_FOUND: { kind: 'model' },
  IO: { kind: 'system' },
  // Models from the Hub
  HUB_NOT_FOUND: { kind: 'model' },
  HUB_UNAUTHORIZED: { kind: 'model' },
  HUB_OFFLINE: { kind: 'system' },
  HUB_UNREACHABLE: { kind: 'system' },
  HUB_CHECKSUM: { kind: 'system' },
  HUB_HTTP: { kind: 'system' },
  // Model files
  CONFIG: { kind: 'model' },
  CONFIG_UNSUPPORTED: { kind: 'model' },
  POOLING: { kind: 'model' },
  TOKENIZER: { kind: 'model' },
  VOCAB: { kind: 'model' },
  MODEL_MISMATCH: { kind: 'model' },
  DTYPE_UNSUPPORTED: { kind: 'model' },
  LFS_POINTER: { kind: 'model' },
  UNSAFE_FORMAT: { kind: 'model' },
  WEIGHTS: { kind: 'model' },
  INDEX: { kind: 'model' },
  INDEX_PATH: { kind: 'model' },
  HEADER_TOO_SMALL: { kind: 'model' },
  HEADER_TOO_LARGE: { kind: 'model' },
  HEADER_LENGTH: { kind: 'model' },
  HEADER_UTF8: { kind: 'model' },
  HEADER_JSON: { kind: 'model' },
  VECTOR_FILE: { kind: 'model' },
  ESTIMATOR: { kind: 'model' },
  VECTORS_FORMAT: { kind: 'model' },
  DUPLICATE_KEY: { kind: 'model' },
  METADATA: { kind: 'model' },
  NAME: { kind: 'model' },
  TENSOR_INFO: { kind: 'model' },
  OVERFLOW: { kind: 'model' },
  OFFSETS: { kind: 'model' },
  NOT_COVERED: { kind: 'model' },
  // Inside
  INVALID_PROGRAM: { kind: 'system' },
  INTERNAL: { kind: 'system' },
} as const satisfies Readonly<Record<string, { readonly kind: ErrorKind } & Partial<Outcome>>>;

/** What an error's `code` can be. docs/errors.md says of each what happened. */
export type ErrorCode = keyof typeof rows;

/** All codes, in the order of docs/errors.md. */
export const errorCodes = Object.keys(rows) as readonly ErrorCode[];

/** A code's kind, the exit code of a command that ends with it, and the HTTP status that fits it. */
export function describeCode(code: ErrorCode): Readonly<{ kind: ErrorKind } & Outcome> {
  // The addon's code is text: one that stands in no row would be a defect.
  const row: { readonly kind: ErrorKind } & Partial<Outcome> = Object.hasOwn(rows, code) ? rows[code] : rows.INTERNAL;
  return { ...outcomes[row.kind], ...row };
}

/**
 * Every error Bertha throws or rejects with. `code` is stable and meant for programs; `message` says what was expected, what was
 * received and what to do.
 */
export class BerthaError extends Error {
  override readonly name = 'BerthaError';
  /** Stable, and meant for programs; docs/errors.md lists all of them. */
  readonly code: ErrorCode;
  /** Who can do something about it: `usage` (correct the call), `model` (its files), `busy` (try again later), `device` or `system`. */
  readonly kind: ErrorKind;
  /** @internal */
  readonly [brand] = true;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.kind = describeCode(code).kind;
  }

  /** The HTTP status with which a server answers: 413, 422, 429, 500, 503 or 504. */
  get httpStatus(): number {
    return describeCode(this.code).httpStatus;
  }

  /**
   * `error instanceof BerthaError` also holds for errors of another copy of this package (its ES modules beside its CommonJS files, a
   * copy inside a bundle) and of another realm (a vm context).
   */
  static override [Symbol.hasInstance](value: unknown): value is BerthaError {
    if (this !== BerthaError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;
  }
}
