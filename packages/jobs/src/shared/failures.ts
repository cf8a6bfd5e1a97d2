import { BerthaError } from 'bertha-encoder';

/** A URL without what nobody else may read: user, password, and the values of its query. What is no URL stays as it is. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s'"]*@/gi, '$1').replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#]*)\?[^\s#]*/gi, '$1');
}

/** An error's message, or the value as text where somebody threw something else. */
export function errorMessage(error: unknown): string {
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined;
  return typeof message === 'string' ? message : String(error);
}

/** The error STORE: what was to be done, the store's own words without credentials, and what to do about it. */
export function storeFailure(wanted: string, cause: unknown, hint = ''): BerthaError {
  const words = withoutCredentials(errorMessage(cause));
  return new BerthaError('STORE', `Expected ${wanted} but it failed: ${words}.${hint === '' ? '' : ` ${hint}`}`, { cause });
}

/** The error STORE_MISMATCH: what the store should hold and what it holds. */
export function storeMismatch(wanted: string, got: string, hint: string): BerthaError {
  return new BerthaError('STORE_MISMATCH', `Expected ${wanted} but it holds ${got}. ${hint}`);
}
