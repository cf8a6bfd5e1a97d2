// Vocabularies beside the Rust trainer's: npm run bench:wordpiece -- --train FILE --held-out FILE --python PYTHON [--vocab-size N...]
// Prints tokens a word on the held-out text (ours must be within 2 %), and the seconds of training: ours on one thread, the rival's on two.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { trainWordPiece } from '../../src/pretraining/index.js';

const { values } = parseArgs({
  options: {
    train: { type: 'string' },
    'held-out': { type: 'string' },
    python: { type: 'string' },
    'vocab-size': { type: 'string', multiple: true, default: ['1000', '8000', '30000'] },
  },
});
const { train, python, 'held-out': heldOut } = values;
if (train === undefined || heldOut === undefined || python === undefined) throw new Error('Expected --train, --held-out and --python.');

const text = readFileSync(heldOut, 'utf8');
const words = text.split(/\s+/).filter((word) => word !== '').length;
for (const size of values['vocab-size']) {
  const begun = performance.now();
  const learned = await trainWordPiece(train, { vocabSize: Number(size) });
  const seconds = (performance.now() - begun) / 1000;
  const tokenizer = learned.tokenizer();
  const tokens = text
    .split('\n')
    .reduce((sum, line) => sum + tokenizer.encode(line, { addSpecialTokens: false, truncation: false }).ids.length, 0);
  const env = { ...process.env, RAYON_NUM_THREADS: '2' };
  const output = execFileSync(python, [join(import.meta.dirname, 'wordpiece_rival.py'), train, heldOut, size], { env, encoding: 'utf8' });
  const rival = JSON.parse(output) as { readonly version: string; readonly seconds: number; readonly tokens: number };
  const off = 100 * (tokens / rival.tokens - 1);
  console.log(
    `${size} tokens: ${(tokens / words).toFixed(4)} tokens a word, tokenizers ${rival.version} ${(rival.tokens / words).toFixed(4)} (${off.toFixed(2)} %); ` +
      `${seconds.toFixed(1)} s, tokenizers ${rival.seconds.toFixed(1)} s`,
  );
  if (off > 2) process.exitCode = 1;
}
