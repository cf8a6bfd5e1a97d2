import { createHash, timingSafeEqual } from 'node:crypto';
import { RequestError } from '../failures/failures.js';

/** Longest header that is looked at: a longer one is no key. */
const kMostUnits = 4096;

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * Says of an `authorization` header whether it carries one of `keys`: `Bearer KEY`, the word in any case, which LlamaIndex sends twice. Every key is
 * compared, in time that depends on neither.
 */
export function keyChecker(keys: readonly string[]): (header: string | undefined) => boolean {
  const digests = keys.map(digest);
  return (header) => {
    if (header === undefined || header.length > kMostUnits) return false;
    const token = /^bearer +(?:bearer +)?(.+)$/i.exec(header)?.[1];
    const given = digest(token ?? '');
    let matches = 0;
    for (const known of digests) matches |= timingSafeEqual(given, known) ? 1 : 0;
    return token !== undefined && matches === 1;
  };
}

/** The refusal of a request without a key. */
export function unauthorized(): RequestError {
  return new RequestError({
    status: 401,
    code: 'invalid_api_key',
    type: 'Unauthorized',
    message: 'Expected a valid API key in the authorization header: Bearer KEY.',
    headers: { 'www-authenticate': 'Bearer', connection: 'close' },
  });
}
