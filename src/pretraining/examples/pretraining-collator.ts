import { atOnce } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { packBatch } from '../../runtime/batch.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import type { CollatedBatch, Collator, Draw, Example, ReadPredictions } from '../../training/collators/collator.js';
import { Masking, tokensAsWords, wordsOf, type MaskingOptions, type TokenWords } from '../../training/collators/masking.js';
import { Random } from '../../training/datasets/random.js';
import { logSumExp } from '../../training/evaluation/log-sum-exp.js';
import type { PretrainingExample } from '../store/example-block.js';

/** What a model predicted of an example, or should have. */
export interface PretrainingPrediction {
  /** Ids of the masked words. */
  readonly words: readonly number[];
  /** Σ of cross entropies of these words; of labels 0. */
  readonly wordLoss: number;
  /** Class of the pair; undefined without pairs. */
  readonly pair: number | undefined;
}

interface OwnExample extends Example {
  readonly drawn: PretrainingExample;
}

/** Lays examples of a corpus end to end and masks words, anew in every epoch unless masks are static. */
export class PretrainingCollator implements Collator<PretrainingExample, OwnExample> {
  readonly #masking: Masking;
  readonly #hasPairs: boolean;
  readonly #hasStaticMasks: boolean;
  readonly #clsId: number;
  readonly #sepId: number;
  /** [vocabulary]: whether a token goes on with a word. */
  readonly #goesOn: Uint8Array;

  /** Errors: TOKENIZER for one without [CLS], [SEP] or [MASK]; INVALID_OPTION. */
  constructor(
    tokenizer: Tokenizer,
    { hasPairs, staticMasks, ...masking }: MaskingOptions & { readonly hasPairs: boolean; readonly staticMasks: boolean },
  ) {
    const { clsId, sepId, maskId, vocabSize } = tokenizer;
    if (clsId === undefined || sepId === undefined || maskId === undefined) {
      throw unexpected('TOKENIZER', 'a tokenizer with [CLS], [SEP] and [MASK]', 'one that lacks some of them');
    }
    this.#masking = new Masking({ maskId, vocabSize }, masking);
    this.#hasPairs = hasPairs;
    this.#hasStaticMasks = staticMasks;
    [this.#clsId, this.#sepId] = [clsId, sepId];
    this.#goesOn = Uint8Array.from({ length: vocabSize }, (_, id) => (tokenizer.idToToken(id)?.startsWith('##') === true ? 1 : 0));
  }

  *encode(drawn: PretrainingExample, index: number): Generator<void, OwnExample> {
    yield;
    const ids = this.#idsOf(drawn);
    const typeIds = this.#hasPairs ? new Int32Array(ids.length).fill(1, drawn.aLength + 2) : undefined;
    return { index, drawn, tokens: ids.length, sequences: [typeIds === undefined ? { ids } : { ids, typeIds }] };
  }

  #idsOf({ ids, aLength }: PretrainingExample): Int32Array {
    const specials = this.#hasPairs ? 3 : 2;
    const all = new Int32Array(ids.length + specials);
    all[0] = this.#clsId;
    all.set(ids.subarray(0, aLength), 1);
    all[aLength + 1] = this.#sepId;
    if (!this.#hasPairs) return all;
    all.set(ids.subarray(aLength), aLength + 2);
    all[all.length - 1] = this.#sepId;
    return all;
  }

  #wordsOf(ids: Int32Array, { isJoined, aLength }: PretrainingExample): TokenWords {
    const separator = aLength + 1;
    const isSpecial = (token: number): boolean => token === 0 || token === separator || token === ids.length - 1;
    if (!this.#masking.wholeWords) return tokensAsWords(ids.length, isSpecial);
    if (this.#masking.rule === 'google') return wordsOf(ids.length, isSpecial, (token) => this.#goesOn[ids[token]!] === 1);
    return wordsOf(ids.length, isSpecial, (token) => isJoined[token < separator ? token - 1 : token - 2] === 1);
  }

  collate(examples: readonly OwnExample[], { seed, epoch }: Draw): CollatedBatch {
    const packed = packBatch(examples.flatMap(({ sequences }) => sequences));
    const { inputIds, cuSeqlens } = packed;
    const selected: number[] = [];
    const labels: number[] = [];
    const cuSelected = new Int32Array(cuSeqlens.length);
    examples.forEach(({ index, drawn }, sequence) => {
      const ids = inputIds.subarray(cuSeqlens[sequence], cuSeqlens[sequence + 1]);
      const random = new Random(seed, this.#hasStaticMasks ? 0 : epoch, index);
      const masked = this.#masking.apply(ids, this.#wordsOf(ids, drawn), random);
      selected.push(...masked.selected);
      labels.push(...masked.labels);
      cuSelected[sequence + 1] = selected.length;
    });
    const pairs = Int32Array.from(examples, ({ drawn }) => drawn.label);
    const hasPairs = this.#hasPairs;
    const readSlices = function* (logits: Float32Array, pairLogits?: Float32Array): Generator<void, ReadPredictions> {
      const width = selected.length === 0 ? 1 : logits.length / selected.length;
      const words: number[] = [];
      const wordLosses: number[] = [];
      for (const [row, label] of labels.entries()) {
        const scores = logits.subarray(row * width, (row + 1) * width);
        words.push(argmax(scores));
        wordLosses.push(logSumExp(scores) - scores[label]!);
        yield;
      }
      const of = (sequence: number, values: readonly number[] = labels): readonly number[] =>
        values.slice(cuSelected[sequence], cuSelected[sequence + 1]);
      return {
        predictions: examples.map((_, sequence): PretrainingPrediction => ({
          words: of(sequence, words),
          wordLoss: of(sequence, wordLosses).reduce((sum, loss) => sum + loss, 0),
          pair: pairLogits && argmax(pairLogits.subarray(2 * sequence, 2 * sequence + 2)),
        })),
        labels: examples.map((_, sequence): PretrainingPrediction => ({
          words: of(sequence),
          wordLoss: 0,
          pair: hasPairs ? pairs[sequence] : undefined,
        })),
      };
    };
    return {
      rows: examples.length,
      tokens: inputIds.length,
      numItems: this.#hasPairs ? [selected.length, examples.length] : [selected.length],
      batch: {
        ...packed,
        selected: Int32Array.from(selected),
        cuSelected,
        labels: Int32Array.from(labels),
        ...(this.#hasPairs ? { sentenceLabels: pairs } : {}),
      },
      read: (logits, pairLogits) => atOnce(readSlices(logits, pairLogits)),
      readSlices,
    };
  }

  warn(): void {
    // Nothing is left out of an example.
  }
}

/** MLM loss, accuracy and perplexity, and the accuracy of pairs. */
export function pretrainingMetrics(
  predictions: readonly PretrainingPrediction[],
  labels: readonly PretrainingPrediction[],
): Record<string, number> {
  let [loss, words, right, pairs, rightPairs] = [0, 0, 0, 0, 0];
  predictions.forEach((predicted, i) => {
    const label = labels[i]!;
    loss += predicted.wordLoss;
    words += label.words.length;
    right += predicted.words.filter((word, k) => word === label.words[k]).length;
    if (label.pair === undefined) return;
    pairs++;
    if (predicted.pair === label.pair) rightPairs++;
  });
  const mean = loss / Math.max(1, words);
  return {
    mlm_loss: mean,
    mlm_accuracy: right / Math.max(1, words),
    perplexity: Math.exp(mean),
    ...(pairs > 0 ? { pair_accuracy: rightPairs / pairs } : {}),
  };
}
