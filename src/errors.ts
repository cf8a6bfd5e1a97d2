/** One symbol for every copy and realm: Symbol.for's registry belongs to the whole thread. */
const brand = Symbol.for('bertha-encoder.BerthaError');

/** What an error's `code` can be. docs/errors.md says of each what happened. */
export type ErrorCode =
  // Calls
  | 'INVALID_ARG'
  | 'INVALID_OPTION'
  | 'INVALID_IDS'
  | 'MAX_LENGTH'
  | 'INPUT_TOO_LARGE'
  | 'NO_HEAD'
  | 'NO_MASK'
  | 'EMPTY_INPUT'
  | 'INVALID_LABEL'
  | 'DISPOSED'
  | 'ABORTED'
  | 'QUEUE_FULL'
  | 'DEADLINE'
  | 'OUT_OF_MEMORY'
  | 'NON_FINITE'
  | 'USAGE'
  // This machine
  | 'ADDON_LOAD'
  | 'REFERENCE'
  | 'CALIBRATION'
  | 'DEVICE'
  | 'PRECISION'
  | 'ISA'
  | 'DEVICE_OOM'
  | 'DEVICE_LOST'
  | 'THREADS'
  | 'MODEL_NOT_FOUND'
  | 'IO'
  // Models from the Hub
  | 'HUB_NOT_FOUND'
  | 'HUB_UNAUTHORIZED'
  | 'HUB_OFFLINE'
  | 'HUB_UNREACHABLE'
  | 'HUB_CHECKSUM'
  | 'HUB_HTTP'
  // Model files
  | 'CONFIG'
  | 'CONFIG_UNSUPPORTED'
  | 'POOLING'
  | 'TOKENIZER'
  | 'VOCAB'
  | 'MODEL_MISMATCH'
  | 'DTYPE_UNSUPPORTED'
  | 'LFS_POINTER'
  | 'UNSAFE_FORMAT'
  | 'INDEX'
  | 'INDEX_PATH'
  | 'HEADER_TOO_SMALL'
  | 'HEADER_TOO_LARGE'
  | 'HEADER_LENGTH'
  | 'HEADER_UTF8'
  | 'HEADER_JSON'
  | 'VECTOR_FILE'
  | 'DUPLICATE_KEY'
  | 'METADATA'
  | 'NAME'
  | 'TENSOR_INFO'
  | 'OVERFLOW'
  | 'OFFSETS'
  | 'NOT_COVERED'
  // Inside
  | 'INVALID_PROGRAM'
  | 'INTERNAL';

/**
 * Every error Bertha throws or rejects with. `code` is stable and meant for programs; `message` says what was expected, what was
 * received and what to do.
 */
export class BerthaError extends Error {
  override readonly name = 'BerthaError';
  /** Stable, and meant for programs; docs/errors.md lists all of them. */
  readonly code: ErrorCode;
  /** @internal */
  readonly [brand] = true;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
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
