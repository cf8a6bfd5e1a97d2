import { appendFileSync } from 'node:fs';
import { BerthaError } from 'bertha-encoder';
import { errorMessage } from '../shared/failures.js';
import type { BadRow } from '../source/source.js';

/** Writes rows that cannot be used to a file of JSON lines, which is made with the first of them. Errors: IO. */
export class BadRows {
  readonly path: string;
  count = 0;

  constructor(path: string) {
    this.path = path;
  }

  add({ place, problem }: BadRow): void {
    try {
      appendFileSync(this.path, `${JSON.stringify({ place, problem })}\n`, this.count === 0 ? { flag: 'w' } : {});
    } catch (cause) {
      throw new BerthaError('IO', `Expected to write ${this.path} but received ${errorMessage(cause)}.`, { cause });
    }
    this.count++;
  }
}
