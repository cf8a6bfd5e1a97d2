import { unexpected } from '../../expected.js';
import { packBatch } from '../../runtime/batch.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import type { CollatedBatch, Collator, Draw, EncodedSequence, Example } from '../../training/collators/collator.js';
import { Masking, tokensAsWords, wordsOf, type MaskingOptions, type TokenWords } from '../../training/collators/masking.js';
import { Random } from '../../training/datasets/random.js';
import { logSumExp } from '../../training/evaluation/log-sum-exp.js';
import type { TokenArena } from '../corpus/token-arena.js';
import type { PretrainingExample } from './draw-examples.js';

/** What a model predicted of an example, or should have. */
export interface PretrainingPrediction {
  /** Ids of the masked words. */
  readonly words: readonly number[];
  /** Σ of cross entropies of these words; of labels 0. */
  readonly wordLoss: number;
  /** Class of the pair; undefined without pairs. */
  readonly pair: number | undefined;
}

interface DrawnExample extends Example {
  readonly drawn: PretrainingExample;
}

/** Lays examples of a corpus end to end and masks words, anew in every epoch unless masks are static. */
export class PretrainingCollator implements Collator<PretrainingExample, DrawnExample> {
  readonly #tokens: TokenArena;
  readonly #masking: Masking;
  readonly #hasPairs: boolean;
  readonly #hasStaticMasks: boolean;
  readonly #clsId: number;
  readonly #sepId: number;
  /** [vocabulary]: whether a token goes on with a word. */
  readonly #goesOn: Uint8Array;

  /** Errors: TOKENIZER for one without [CLS], [SEP] or [MASK]; INVALID_OPTION. */
  constructor(
    tokens: TokenArena,
    tokenizer: Tokenizer,
    { hasPairs, staticMasks, ...masking }: MaskingOptions & { readonly hasPairs: boolean; readonly staticMasks: boolean },
  ) {
    const { clsId, sepId, maskId, vocabSize } = tokenizer;
    if (clsId === undefined || sepId === undefined || maskId === undefined) {
      throw unexpected('TOKENIZER', 'a tokenizer with [CLS], [SEP] and [MASK]', 'one that lacks some of them');
    }
    this.#tokens = tokens;
    this.#masking = new Masking({ maskId, vocabSize }, masking);
    this.#hasPairs = hasPairs;
    this.#hasStaticMasks = staticMasks;
    [this.#clsId, this.#sepId] = [clsId, sepId];
    this.#goesOn = Uint8Array.from({ length: vocabSize }, (_, id) => (tokenizer.idToToken(id)?.startsWith('##') === true ? 1 : 0));
  }

  *encode(drawn: PretrainingExample, index: number): Generator<void, DrawnExample> {
    const { a, b } = drawn;
    const length = a.end - a.begin + 2 + (b === undefined ? 0 : b.end - b.begin + 1);
    const sequence = (): EncodedSequence => this.#sequence(drawn, length);
    // Made when it is read: all examples of a corpus are held while it is learned.
    yield;
    return {
      index,
      drawn,
      tokens: length,
      get sequences() {
        return [sequence()];
      },
    };
  }

  #sequence({ a, b }: PretrainingExample, length: number): EncodedSequence {
    const ids = new Int32Array(length);
    ids[0] = this.#clsId;
    this.#tokens.copy(a.begin, a.end, ids, 1);
    const separator = 1 + a.end - a.begin;
    ids[separator] = this.#sepId;
    if (b === undefined) return { ids };
    this.#tokens.copy(b.begin, b.end, ids, separator + 1);
    ids[length - 1] = this.#sepId;
    return { ids, typeIds: new Int32Array(length).fill(1, separator + 1) };
  }

  #wordsOf(ids: Int32Array, { a, b }: PretrainingExample): TokenWords {
    const separator = 1 + a.end - a.begin;
    const isSpecial = (token: number): boolean => token === 0 || token === separator || token === ids.length - 1;
    if (!this.#masking.wholeWords) return tokensAsWords(ids.length, isSpecial);
    if (this.#masking.rule === 'google') return wordsOf(ids.length, isSpecial, (token) => this.#goesOn[ids[token]!] === 1);
    const source = (token: number): number => (token < separator ? a.begin + token - 1 : b!.begin + token - separator - 1);
    return wordsOf(ids.length, isSpecial, (token) => this.#tokens.isJoined(source(token)));
  }

  collate(examples: readonly DrawnExample[], { seed, epoch }: Draw): CollatedBatch {
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
      read: (logits, pairLogits) => {
        const width = selected.length === 0 ? 1 : logits.length / selected.length;
        const of = (sequence: number): readonly number[] => labels.slice(cuSelected[sequence], cuSelected[sequence + 1]);
        return {
          predictions: examples.map((_, sequence): PretrainingPrediction => {
            let wordLoss = 0;
            const words = of(sequence).map((label, i) => {
              const row = cuSelected[sequence]! + i;
              const scores = logits.subarray(row * width, (row + 1) * width);
              wordLoss += logSumExp(scores) - scores[label]!;
              return argmax(scores);
            });
            return { words, wordLoss, pair: pairLogits && argmax(pairLogits.subarray(2 * sequence, 2 * sequence + 2)) };
          }),
          labels: examples.map((_, sequence): PretrainingPrediction => ({
            words: of(sequence),
            wordLoss: 0,
            pair: this.#hasPairs ? pairs[sequence] : undefined,
          })),
        };
      },
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
