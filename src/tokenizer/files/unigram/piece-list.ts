import { unexpected } from '../../../expected.js';
import type { Pieces } from '../../unigram/pieces.js';
import { PieceTrie } from '../../unigram/piece-trie.js';
import { MAX_VOCAB_SIZE, Vocabulary } from '../../vocabulary/vocabulary.js';

/** The pieces of a tokenizer.json, added one after the other with the ids 0, 1, … */
export class PieceList {
  readonly vocab: Vocabulary;
  readonly trie = new PieceTrie();
  #scores: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.vocab = new Vocabulary(capacity);
    this.#scores = new Float64Array(capacity);
  }

  get pieces(): Pieces {
    return { trie: this.trie, scores: this.#scores.subarray(0, this.#count) };
  }

  /** Adds units[0..length), whose hash is `hash`. Errors: TOKENIZER. */
  add(units: Uint16Array, length: number, hash: number, score: number): void {
    const id = this.#count++;
    const fault = this.#faultOf(units, length, score, id);
    if (fault !== undefined) throw unexpected('TOKENIZER', `${fault[0]} for tokenizer.json: model: vocab[${id}]`, fault[1]);
    if (id === this.#scores.length) {
      const scores = new Float64Array(2 * id + 16);
      scores.set(this.#scores);
      this.#scores = scores;
    }
    this.#scores[id] = score;
    this.vocab.setUnits(units, 0, length, hash, id, true);
  }

  #faultOf(units: Uint16Array, length: number, score: number, id: number): [string, string] | undefined {
    if (!Number.isFinite(score)) return ['a finite score', String(score)];
    if (id >= MAX_VOCAB_SIZE) return [`at most ${MAX_VOCAB_SIZE} pieces`, 'more'];
    if (!isWellFormed(units, length)) return ['well-formed Unicode', 'half of a surrogate pair'];
    if (!this.trie.set(units, length, id)) return ['pieces of fewer characters in all', 'more'];
    return undefined;
  }
}

function isWellFormed(units: Uint16Array, length: number): boolean {
  for (let k = 0; k < length; k++) {
    const unit = units[k] as number;
    if ((unit & 0xf800) !== 0xd800) continue;
    if ((unit & 0xfc00) !== 0xd800 || k + 1 === length || ((units[++k] as number) & 0xfc00) !== 0xdc00) return false;
  }
  return true;
}
