/**
 * Every error Bertha throws or rejects with. `code` is stable and meant for programs; `message` says what was expected, what was
 * received and what to do.
 */
export class BerthaError extends Error {
  override readonly name = 'BerthaError';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
