import { readFileSync } from 'node:fs';
import { unexpected } from '../../../expected.js';
import { errorMessage } from '../../../realms.js';

/** The words or phrases of a file, one a line, without blanks around them; blank lines do not count. Errors: IO. */
export function readWordList(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8')
      .replace(/^\ufeff/, '')
      .split('\n');
    return lines.map((line) => line.trim()).filter((line) => line !== '');
  } catch (error) {
    throw unexpected('IO', `words in ${file}`, errorMessage(error), { cause: error });
  }
}
