import { Random } from '../test/support/random.js';
import type { Tokenizer } from '../src/index.js';
import type { Batching } from './engine.js';

/** What a row of the table measures. */
export interface BenchCase {
  /** `batch x tokens`, or what the texts are. */
  readonly name: string;
  readonly model: 'MiniLM' | 'BERT-base';
  /** Tokens of each text, special tokens included. */
  readonly lengths: readonly number[];
  /** Texts in a rival's batch. */
  readonly batchSize: number;
  /** How rivals batch; Bertha is measured once whatever it says. */
  readonly batchings: readonly Batching[];
  /** Also measured in a --quick run. */
  readonly isQuick: boolean;
  /** Also measured beside a busy process. */
  readonly isContended: boolean;
}

const equal = (model: BenchCase['model'], batchSize: number, tokens: number, { isQuick = false, isContended = false } = {}): BenchCase => ({
  name: `${batchSize}x${tokens}`,
  model,
  lengths: new Array<number>(batchSize).fill(tokens),
  batchSize,
  batchings: ['arrival'],
  isQuick,
  isContended,
});

/** Token counts as in search queries and sentences: lognormal, mean about 26, none above 128. */
export function mixedLengths(count: number): number[] {
  const random = new Random(26);
  return Array.from({ length: count }, () => Math.min(128, Math.max(3, Math.round(Math.exp(random.normal(2.95, 0.8))))));
}

/** Every case, in the order of the table. */
export const cases: readonly BenchCase[] = [
  equal('MiniLM', 1, 8, { isQuick: true }),
  equal('MiniLM', 1, 16, { isQuick: true, isContended: true }),
  equal('MiniLM', 1, 32),
  equal('MiniLM', 1, 64),
  equal('MiniLM', 1, 128, { isQuick: true, isContended: true }),
  equal('MiniLM', 1, 256),
  equal('MiniLM', 1, 512),
  equal('MiniLM', 8, 32, { isQuick: true }),
  equal('MiniLM', 64, 16),
  equal('MiniLM', 32, 128),
  {
    name: '256 mixed texts',
    model: 'MiniLM',
    lengths: mixedLengths(256),
    batchSize: 32,
    batchings: ['arrival', 'sorted', 'one'],
    isQuick: true,
    isContended: true,
  },
  equal('BERT-base', 1, 16),
  equal('BERT-base', 1, 128),
];

/** Texts of exactly so many tokens: words that the vocabulary holds whole, drawn with a seed. */
export function textsOf(
  lengths: readonly number[],
  vocab: readonly string[],
  tokenizer: Tokenizer,
): { texts: string[]; ids: Int32Array[] } {
  const random = new Random(7);
  const words = vocab.filter((token) => /^[a-z]{2,}$/.test(token)).slice(0, 8000);
  const texts = lengths.map((length) => Array.from({ length: length - 2 }, () => random.pick(words)).join(' '));
  const ids = texts.map((text) => tokenizer.encode(text).ids);
  ids.forEach((each, i) => {
    if (each.length !== lengths[i]) throw new Error(`Expected ${lengths[i]} tokens for text ${i} but received ${each.length}.`);
  });
  return { texts, ids };
}

/** Multiplications and additions of the encoder's matrix products and attention, in units of 1e9. */
export function gigaFlops(lengths: readonly number[], model: { layers: number; hidden: number; intermediate: number }): number {
  const { layers, hidden, intermediate } = model;
  const perToken = 2 * (4 * hidden * hidden + 2 * hidden * intermediate);
  return lengths.reduce((sum, length) => sum + layers * length * (perToken + 4 * length * hidden), 0) / 1e9;
}
