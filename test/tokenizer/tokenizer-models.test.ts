// The interface of models: what the words of a text become is the model's affair, an unknown token included.
import * as assert from 'uvu/assert';
import { TextWindow } from '../../src/tokenizer/scanning/text-window.js';
import { TokenBuffer } from '../../src/tokenizer/scanning/token-buffer.js';
import { WordBuffer } from '../../src/tokenizer/scanning/word-buffer.js';
import type { WordModel } from '../../src/tokenizer/vocabulary/word-model.js';
import { suite } from '../support/suite.js';

const t = suite('tokenizer-models');

/** A model of the letters a to z, as a byte-level model is of bytes: each is a token, anything else is none. */
class Letters implements WordModel {
  readonly unkId: number | undefined;
  readonly maxInputCharsPerWord: number;
  readonly pieces = new Int32Array(100);

  constructor(unkId: number | undefined, maxInputCharsPerWord: number) {
    this.unkId = unkId;
    this.maxInputCharsPerWord = maxInputCharsPerWord;
  }

  find(): number {
    return -1;
  }

  split(units: Uint16Array, length: number): number {
    let count = 0;
    for (let k = 0; k < length; k++) {
      const id = (units[k] as number) - 0x61;
      if (id < 0 || id >= 26) continue;
      this.pieces.set([id, k, k + 1], 1 + 3 * count++);
    }
    this.pieces[0] = count;
    return 0;
  }
}

function tokenize(model: WordModel, text: string): { ids: number[]; words: number[]; offsets: number[] } {
  const tokens = new TokenBuffer(undefined);
  const words = new WordBuffer(model, tokens, { before: 0, between: 0, after: 0 });
  const window = new TextWindow();
  window.begin(text);
  tokens.begin(window, 1000, true);
  words.begin();
  words.enter(window);
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ' ') words.flush();
    else words.append(text.charCodeAt(i), i);
  }
  words.flush();
  const { count, ids, wordIds, offsets } = tokens;
  return { ids: [...ids.subarray(0, count)], words: [...wordIds.subarray(0, count)], offsets: [...offsets.subarray(0, 2 * count)] };
}

t('makes nothing of a word that a model without an unknown token makes nothing of, and counts it', () => {
  assert.equal(tokenize(new Letters(undefined, Infinity), 'ab 12 c'), {
    ids: [0, 1, 2],
    words: [0, 0, 2],
    offsets: [0, 1, 1, 2, 6, 7],
  });
});

t('makes nothing of a word that is too long for such a model', () => {
  assert.equal(tokenize(new Letters(undefined, 3), 'abcd ab').ids, [0, 1]);
  assert.equal(tokenize(new Letters(99, 3), 'abcd ab').ids, [99, 0, 1]);
});

t('takes words of any length where a model has no limit', () => {
  assert.is(tokenize(new Letters(undefined, Infinity), `${'1'.repeat(10_000)}z`).ids.join(), '25');
});

t.run();
