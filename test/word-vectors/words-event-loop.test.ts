// Word vectors beside a server: whatever is done with many words, the event loop's turns stay short.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { KeyedVectors, loadWordVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';
import { canMeasureTurns, measureTurns } from '../support/turns.js';

const t = suite('word vectors and the event loop');
const folder = mkdtempSync(join(tmpdir(), 'bertha-words-turns-'));
t.after(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
/** What no turn may take of the processor, with room for collections of garbage. */
const kMostMs = 12;
const [size, dimensions] = [60_000, 100];
const names = Array.from({ length: size }, (_, i) => `word${i}`);
const vectors = KeyedVectors.fromVectors(names, { data: new Random(1).floats(size * dimensions), dimensions });

async function sentences(words: number): Promise<string[][]> {
  const random = new Random(2);
  return Array.from({ length: words / 20 }, () => Array.from({ length: 20 }, () => `w${random.integer(0, 1e6) % 50_000}`));
}

const corpus = await sentences(200_000);
const small = { minCount: 1, epochs: 1, vectorSize: 16 };
for (const [name, work] of Object.entries<() => Promise<unknown>>({
  'copies of all vectors': () => vectors.toMatrix(),
  'all vectors in few bytes': () => vectors.quantize('int8'),
  'the place of a far word': () => vectors.rank('word1', 'word2'),
  'the words that are nearer': () => vectors.closerThan('word1', 'word2'),
  'all words by similarity': () => vectors.mostSimilar('word1', { topN: size }),
  'a file written and read': async () => {
    await vectors.save(file('plain.safetensors'));
    await loadWordVectors(file('plain.safetensors'));
  },
  'a quantized file written and read': async () => {
    await vectors.save(file('int8.safetensors'), { quantize: 'int8' });
    await loadWordVectors(file('int8.safetensors'));
  },
  'word2vec by Huffman codes': () => trainWord2Vec(corpus, { ...small, hs: true }),
  fastText: () => trainFastText(corpus, { ...small, bucket: 50_000 }),
  GloVe: () => trainGloVe(corpus, { ...small, window: 5 }),
})) {
  t(`short turns: ${name}`, async () => {
    if (!canMeasureTurns()) return skip('no clock of processor time');
    let longest = Infinity;
    for (let tries = 0; tries < 3 && longest > kMostMs; tries++) ({ longest } = await measureTurns(work));
    assert.ok(longest <= kMostMs, `${longest.toFixed(1)} ms`);
  });
}

t.run();
