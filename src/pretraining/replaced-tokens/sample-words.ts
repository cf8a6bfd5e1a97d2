import { philox } from '../../training/program/philox.js';

/** What the random numbers of a row depend on, beside the seed. */
export interface SamplePlace {
  /** Of dropout's and these numbers: low and high 32 bits. */
  readonly key: readonly [number, number];
  /** The row among those of its micro-batch. */
  readonly row: number;
  /** The micro-batch's number in the run. */
  readonly microStep: number;
}

/** Third word of the counter: dropout's sites are small numbers there. */
const kStream = 0x6775_6d62;

/**
 * A word drawn from the softmax of a row of logits: the largest sum of a logit and Gumbel noise. Noise of column c is -log(-log u) with u = (w + 1/2) / 2^32 and w word c mod 4
 * of Philox-4x32-10 for (c / 4, row, kStream, microStep), so what is drawn is a function of the seed and the place.
 */
export function sampleWord(logits: Float32Array, { key, row, microStep }: SamplePlace): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let [best, chosen] = [-Infinity, 0];
  // Below this u not even the largest logit would win; most logarithms are saved.
  let least = 0;
  for (let begin = 0; begin < logits.length; begin += 4) {
    const words = philox([begin >>> 2, row, kStream, microStep], key);
    for (let i = 0; i < 4 && begin + i < logits.length; i++) {
      const u = (words[i]! + 0.5) / 2 ** 32;
      if (u < least) continue;
      const sum = logits[begin + i]! - Math.log(-Math.log(u));
      if (sum <= best) continue;
      [best, chosen] = [sum, begin + i];
      // A little lower: the logarithms are rounded.
      least = Math.exp(-Math.exp(largest - best)) * (1 - 1e-9);
    }
  }
  return chosen;
}
