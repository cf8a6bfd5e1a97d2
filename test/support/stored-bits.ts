import { createHash } from 'node:crypto';
import { BerthaError } from '../../src/errors.js';
import { loadEmbedder } from '../../src/index.js';
import { gateTexts } from './precision-texts.js';
import { Random } from './random.js';

/** The precisions whose bits are stored. */
export const precisions = ['fp32', 'fp16-weights', 'bf16', 'int8'] as const;

/** How many texts have their bits stored: arm64's were computed under an emulator, where 200 take half an hour. */
export const storedTexts = process.arch === 'arm64' ? 50 : 200;

const words = gateTexts.join(' ').split(/\s+/);

/** 200 texts: those of every kind, then random ones of 1 to 80 words, most of them short. */
function bitTexts(): string[] {
  const random = new Random(20_261_126);
  const drawn = Array.from({ length: 200 - gateTexts.length }, () => {
    const length = 1 + Math.floor(80 * random.next() ** 3);
    return Array.from({ length }, () => words[random.integer(0, words.length - 1)]!).join(' ');
  });
  return [...gateTexts, ...drawn];
}

/**
 * The bundled model's vectors of the first `count` of 200 texts, a digest of 8 hexadecimal digits each, one after the other; the error's code where this
 * processor or instruction set lacks the precision.
 */
export async function vectorBits(precision: (typeof precisions)[number], count = storedTexts): Promise<string> {
  let embedder;
  try {
    embedder = await loadEmbedder(undefined, { precision });
  } catch (error) {
    if (error instanceof BerthaError && error.code === 'PRECISION') return error.code;
    throw error;
  }
  try {
    const results = await embedder.embed(bitTexts().slice(0, count));
    return results.map(({ vector }) => createHash('sha256').update(vector).digest('hex').slice(0, 8)).join('');
  } finally {
    embedder.dispose();
  }
}
