/** One symbol for every copy and realm: Symbol.for's registry belongs to the whole thread. */
const brand = Symbol.for('bertha-encoder.BerthaError');

/**
 * Every error Bertha throws or rejects with. `code` is stable and meant for programs; `message` says what was expected, what was
 * received and what to do.
 */
export class BerthaError extends Error {
  override readonly name = 'BerthaError';
  readonly code: string;
  /** @internal */
  readonly [brand] = true;
  constructor(code: string, message: string, options?: ErrorOptions) {
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
