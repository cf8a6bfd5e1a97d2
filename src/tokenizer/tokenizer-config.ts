import type { AddedToken } from './added-tokens.js';
import type { SpecialTokens, TokenizerFiles } from './definition.js';
import { JsonNode } from './json.js';
import type { Side } from './truncation.js';
import { MAX_VOCAB_SIZE } from './vocabulary.js';

// transformers writes 1e30 for "no limit"; this is where it draws the line itself.
const NO_LIMIT = 1e20;

type SpecialName = 'unk' | 'pad' | 'cls' | 'sep' | 'mask';
export type AddedTokenFlags = Omit<AddedToken, 'id' | 'content'>;

/** What tokenizer_config.json and special_tokens_map.json say, the first having precedence. Errors: TOKENIZER. */
export class TokenizerConfig {
  /** Without "Fast" at its end. */
  readonly tokenizerClass: string | undefined;
  readonly maxLength: number | undefined;
  readonly paddingSide: Side;
  readonly truncationSide: Side;
  readonly #config: JsonNode;
  readonly #specialTokens = new Map<string, { content: string; flags: AddedTokenFlags | undefined }>();

  constructor(files: TokenizerFiles) {
    const config = (this.#config = JsonNode.parse(files.tokenizerConfig ?? '{}', 'tokenizer_config.json'));
    const map = JsonNode.parse(files.specialTokensMap ?? '{}', 'special_tokens_map.json');
    this.tokenizerClass = config.string('tokenizer_class')?.replace(/Fast$/, '');
    this.maxLength = readMaxLength(config);
    this.paddingSide = config.oneOf('padding_side', ['left', 'right'], 'right');
    this.truncationSide = config.oneOf('truncation_side', ['left', 'right'], 'right');
    for (const node of [map, config]) {
      for (const name of ['unk', 'pad', 'cls', 'sep', 'mask']) {
        const value = node.get(`${name}_token`);
        if (value === undefined) continue;
        if (typeof value === 'string') this.#specialTokens.set(name, { content: value, flags: undefined });
        else {
          const token = new JsonNode(value, `${node.path}: ${name}_token`);
          this.#specialTokens.set(name, { content: token.string('content', ''), flags: { ...readFlags(token), special: true } });
        }
      }
    }
  }

  /** The flag of tokenizer_config.json, or undefined if it does not say; null is a value of strip_accents. */
  flag(name: 'do_lower_case' | 'tokenize_chinese_chars' | 'clean_up_tokenization_spaces'): boolean | undefined {
    return this.#config.get(name) === undefined ? undefined : this.#config.boolean(name, false);
  }

  /** undefined: not said; null: as lowercase. */
  get stripAccents(): boolean | null | undefined {
    if (!this.#config.has('strip_accents')) return undefined;
    return this.#config.get('strip_accents') === undefined ? null : this.#config.boolean('strip_accents', false);
  }

  /** Special tokens by name: as the files say, or else the first of the usual spellings that `has` knows. */
  specialTokens(has: (token: string) => boolean, unkToken?: string): SpecialTokens {
    const find = (name: SpecialName, ...usual: string[]): string | undefined => {
      const named = this.#specialTokens.get(name)?.content;
      return named !== undefined && has(named) ? named : usual.find(has);
    };
    return {
      unk: unkToken ?? find('unk', '[UNK]') ?? '[UNK]',
      pad: find('pad', '[PAD]', '<pad>'),
      cls: find('cls', '[CLS]', '<s>'),
      sep: find('sep', '[SEP]', '</s>'),
      mask: find('mask', '[MASK]', '<mask>'),
    };
  }

  /** The flags that the files give a special token. */
  flagsOf(name: SpecialName): AddedTokenFlags | undefined {
    return this.#specialTokens.get(name)?.flags;
  }

  /** `added_tokens_decoder` in the order of its ids. */
  addedTokens(): AddedToken[] {
    const decoder = this.#config.child('added_tokens_decoder');
    if (decoder === undefined) return [];
    return decoder.keys
      .map((key) => {
        const token = decoder.child(key);
        const id = Number(key);
        if (token === undefined || !Number.isInteger(id) || id < 0 || id >= MAX_VOCAB_SIZE)
          throw decoder.wrong('an id', key, decoder.get(key));
        return { id, content: token.string('content', ''), ...readFlags(token) };
      })
      .sort((a, b) => a.id - b.id);
  }
}

/** The properties of an added token, as tokenizer.json and tokenizer_config.json spell them. */
export function readFlags(token: JsonNode): AddedTokenFlags {
  const special = token.boolean('special', false);
  return {
    singleWord: token.boolean('single_word', false),
    lstrip: token.boolean('lstrip', false),
    rstrip: token.boolean('rstrip', false),
    normalized: token.boolean('normalized', !special),
    special,
  };
}

function readMaxLength(config: JsonNode): number | undefined {
  const value = config.get('model_max_length');
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw config.wrong('a positive whole number', 'model_max_length', value);
  return value >= NO_LIMIT ? undefined : value;
}
