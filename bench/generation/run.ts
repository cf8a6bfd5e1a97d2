// Tokens a second of generated texts: npm run bench:generation [-- --threads N --precision fp32,int8 --seconds S --cases NAME]
// The shape of Marian-base (6 + 6 layers, hidden 512, inner 2,048, 58,101 words), random weights, 24 tokens in, 24 out; tokens are counted per text, not per
// beam.
import { parseArgs } from 'node:util';
import { neutralSettings } from '../../test/support/search.js';
import { Random } from '../../test/support/random.js';
import { SmallDecoder } from '../../test/support/small-decoder.js';
import type { Session } from '../../src/runtime/session.js';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    precision: { type: 'string', default: 'fp32,bf16,int8' },
    seconds: { type: 'string', default: '3' },
    cases: { type: 'string', default: '' },
    small: { type: 'boolean', default: false },
  },
});
const tokens = 24;
const cases = [
  { name: '1 text, greedy', texts: 1, numBeams: 1 },
  { name: '1 text, 4 beams', texts: 1, numBeams: 4 },
  { name: '16 texts, greedy', texts: 16, numBeams: 1 },
  { name: '16 texts, 4 beams', texts: 16, numBeams: 4 },
].filter(({ name }) => name.includes(values.cases));

const sizes = values.small
  ? { vocabSize: 1000, width: 64, heads: 4, inner: 128, encoderLayers: 1, decoderLayers: 1 }
  : { vocabSize: 58_101, width: 512, heads: 8, inner: 2048, encoderLayers: 6, decoderLayers: 6 };
const model = new SmallDecoder({ ...sizes, isLarge: true });
const random = new Random(1);
const sources = Array.from({ length: 16 }, () => random.integers(tokens, 0, sizes.vocabSize - 1));

async function generateAll(session: Session, texts: number, numBeams: number): Promise<void> {
  const settings = { ...neutralSettings, numBeams, maxLength: tokens + 1 };
  const one = async (inputIds: Int32Array) =>
    session.generate({
      logits: model.logits.id,
      settings,
      prompt: Int32Array.of(0),
      source: { inputIds, cuSeqlens: Int32Array.of(0, tokens) },
    });
  await Promise.all(sources.slice(0, texts).map(one));
}

/** The best rate of calls that follow each other for so many seconds. */
async function rateOf(session: Session, texts: number, numBeams: number): Promise<number> {
  let best = 0;
  for (const end = performance.now() + Number(values.seconds) * 1000; performance.now() < end;) {
    const begin = performance.now();
    await generateAll(session, texts, numBeams);
    best = Math.max(best, (texts * tokens * 1000) / (performance.now() - begin));
  }
  return best;
}

process.stdout.write(`${values.threads} threads, tokens/s per text, best of calls within ${values.seconds} s\n`);
for (const precision of values.precision.split(',')) {
  const session = await model.load({ precision, threads: Number(values.threads) });
  for (const { name, texts, numBeams } of cases)
    process.stdout.write(`${precision.padEnd(6)} ${name.padEnd(18)} ${(await rateOf(session, texts, numBeams)).toFixed(1).padStart(8)}\n`);
  session.dispose();
}
