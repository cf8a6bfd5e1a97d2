import path from 'node:path';
import { parseJsonObject } from '../../checkpoint/json-fields.js';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { writeSafetensors } from '../../checkpoint/safetensors/safetensors-writer.js';
import { wrongArgument } from '../../expected.js';
import { type FilePath, readFilePath } from '../../file-path.js';
import { oneOf, readOptions } from '../../options.js';
import { KeyedVectors } from '../queries/keyed-vectors.js';

const kLayouts = ['sentence-transformers', 'model2vec'] as const;

/** Options of `StaticVectors.save`. */
export interface SaveStaticOptions {
  /** Whose directory it is; `loadEmbedder` and sentence-transformers read both. Default `'sentence-transformers'`. */
  readonly layout?: (typeof kLayouts)[number] | undefined;
}

/** What static vectors consist of. @internal */
export interface StaticParts {
  /** [tokens, dimensions] */
  readonly data: Float32Array;
  readonly dimensions: number;
  /** tokenizer.json of the model, with the own words as added tokens. */
  readonly tokenizerJson: string;
  /** Words with the ids of their rows. */
  readonly words: ReadonlyMap<string, number>;
}

/** A vector for each token, made by `distillVectors`: a text is the mean of its tokens' rows. */
export class StaticVectors {
  readonly #parts: StaticParts;

  /** @internal */
  constructor(parts: StaticParts) {
    this.#parts = parts;
  }

  /** Numbers in a vector. */
  get dimensions(): number {
    return this.#parts.dimensions;
  }

  /** Tokens. */
  get size(): number {
    return this.#parts.data.length / this.dimensions;
  }

  /** The rows, [tokens, dimensions]; those of special tokens are 0. */
  get data(): Float32Array {
    return this.#parts.data;
  }

  /** The own words, or the whole words of the model's vocabulary, to be searched and compared. */
  toKeyedVectors(): KeyedVectors {
    const { data, words, dimensions } = this.#parts;
    return KeyedVectors.fromVectors(
      [...words.keys()],
      Array.from(words.values(), (id) => data.subarray(id * dimensions, (id + 1) * dimensions)),
    );
  }

  /**
   * Writes a directory that `loadEmbedder`, sentence-transformers and model2vec load.
   *
   * Errors: INVALID_ARG, INVALID_OPTION, IO.
   */
  async save(directory: FilePath, options?: SaveStaticOptions): Promise<void> {
    const { layout = 'sentence-transformers' } = readOptions('save', options, { layout: oneOf(kLayouts) });
    const folder = readFilePath(directory);
    if (folder === undefined || folder === '') throw wrongArgument('the path or URL of a folder for save', directory);
    const isModel2Vec = layout === 'model2vec';
    const inner = isModel2Vec ? '' : '0_StaticEmbedding';
    await makeFolder(path.join(folder, inner));
    const { data, dimensions, tokenizerJson } = this.#parts;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const name = isModel2Vec ? 'embeddings' : 'embedding.weight';
    await writeSafetensors(path.join(folder, inner, 'model.safetensors'), [{ name, dtype: 'F32', shape: [this.size, dimensions], bytes }]);
    await replaceFile(path.join(folder, inner, 'tokenizer.json'), [Buffer.from(tokenizerJson)]);
    const modules = ['StaticEmbedding', 'Normalize'].map((kind, idx) => ({
      idx,
      name: String(idx),
      path: isModel2Vec ? '.' : `${idx}_${kind}`,
      type: `sentence_transformers.models.${kind}`,
    }));
    const config = isModel2Vec
      ? { model_type: 'model2vec', architectures: ['StaticModel'], hidden_dim: dimensions, seq_length: 1_000_000, normalize: true }
      : { model_type: 'SentenceTransformer', prompts: {}, default_prompt_name: null, similarity_fn_name: 'cosine' };
    await replaceFile(path.join(folder, isModel2Vec ? 'config.json' : 'config_sentence_transformers.json'), [text(config)]);
    await replaceFile(path.join(folder, 'modules.json'), [text(modules)]);
  }
}

function text(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** A tokenizer.json with words as added tokens from the id `first` on, and without what depends on texts' lengths. Errors: TOKENIZER. */
export function withWords(tokenizerJson: string, words: readonly string[], first: number): string {
  const json = parseJsonObject(tokenizerJson, 'tokenizer.json', 'TOKENIZER');
  const known = Array.isArray(json['added_tokens']) ? (json['added_tokens'] as readonly unknown[]) : [];
  const added = words.map((content, i) => ({
    id: first + i,
    content,
    single_word: true,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: false,
  }));
  return JSON.stringify({ ...json, truncation: null, padding: null, added_tokens: [...known, ...added] });
}
