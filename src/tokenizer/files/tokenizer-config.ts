import type { AddedToken, AddedTokenFlags } from '../scanning/added/added-tokens.js';
import type { NamedTokens, SpecialTokens, TokenizerDefinition, TokenizerFiles } from '../definition/definition.js';
import { JsonNode } from './json.js';
import type { Side } from '../definition/truncation.js';
import type { TokenTable } from '../vocabulary/token-table.js';
import { MAX_VOCAB_SIZE } from '../vocabulary/vocabulary.js';

// transformers writes 1e30 for "no limit"; this is where it draws the line itself.
const NO_LIMIT = 1e20;

type SpecialName = 'unk' | 'pad' | 'cls' | 'sep' | 'mask';
type FlaggedName = SpecialName | 'bos' | 'eos';

/** A special token as the files give it: a string, or a token with its properties. */
interface NamedToken {
  readonly content: string;
  readonly flags: AddedTokenFlags | undefined;
}

/** In the order in which transformers 4.57 adds those that have no id yet. */
const kNames = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

/** A special token that is given as a string. */
const kPlainFlags: AddedTokenFlags = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** What tokenizer_config.json and special_tokens_map.json say, the first having precedence. Errors: TOKENIZER. */
export class TokenizerConfig {
  /** Without "Fast" at its end. */
  readonly tokenizerClass: string | undefined;
  readonly maxLength: number | undefined;
  readonly paddingSide: Side;
  readonly truncationSide: Side;
  readonly #config: JsonNode;
  readonly #specialTokens = new Map<string, NamedToken>();
  /** Special tokens without a name of their own. */
  readonly #moreTokens: readonly NamedToken[];

  constructor(files: TokenizerFiles) {
    const config = (this.#config = JsonNode.parse(files.tokenizerConfig ?? '{}', 'tokenizer_config.json'));
    const map = JsonNode.parse(files.specialTokensMap ?? '{}', 'special_tokens_map.json');
    this.tokenizerClass = config.string('tokenizer_class')?.replace(/Fast$/, '');
    this.maxLength = readMaxLength(config);
    this.paddingSide = config.oneOf('padding_side', ['left', 'right'], 'right');
    this.truncationSide = config.oneOf('truncation_side', ['left', 'right'], 'right');
    // As transformers: where added_tokens_decoder is, the older file is not read.
    const nodes = config.has('added_tokens_decoder') ? [config] : [config, map];
    for (const node of nodes.toReversed()) {
      for (const name of kNames) {
        const value = node.get(`${name}_token`);
        if (value !== undefined) this.#specialTokens.set(name, namedToken(value, `${node.path}: ${name}_token`));
      }
    }
    this.#moreTokens = readMoreTokens(nodes);
  }

  /** The flag of tokenizer_config.json, or undefined if it does not say; null is a value of strip_accents. */
  flag(name: 'add_prefix_space' | 'do_lower_case' | 'tokenize_chinese_chars' | 'clean_up_tokenization_spaces'): boolean | undefined {
    return this.#config.get(name) === undefined ? undefined : this.#config.boolean(name, false);
  }

  /** Whether a model that has token types gets those of the template: `model_input_names`, else what transformers 5's class says. */
  get givesTypes(): boolean {
    const names = this.#config.get('model_input_names');
    return Array.isArray(names) ? names.includes('token_type_ids') : !/^Albert/.test(this.tokenizerClass ?? '');
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
      if (named === undefined || named === '') return usual.find(has);
      // No text can do without the first three: where the vocabulary lacks what is named, the usual spelling serves.
      return has(named) || name === 'pad' || name === 'mask' ? named : usual.find(has);
    };
    return {
      unk: unkToken ?? find('unk', '[UNK]', '<unk>'),
      pad: find('pad', '[PAD]', '<pad>'),
      cls: find('cls', '[CLS]', '<s>'),
      sep: find('sep', '[SEP]', '</s>'),
      mask: find('mask', '[MASK]', '<mask>'),
    };
  }

  /** The beginning and the end of a text where the files name them, and the tokens that they list without a name. */
  get namedTokens(): NamedTokens {
    return { bos: this.named('bos'), eos: this.named('eos'), additional: this.#moreTokens.map(({ content }) => content) };
  }

  /** The flags that the files give a special token. */
  flagsOf(name: FlaggedName): AddedTokenFlags | undefined {
    return this.#specialTokens.get(name)?.flags;
  }

  /** The special token that the files name so. */
  named(name: FlaggedName): string | undefined {
    return this.#specialTokens.get(name)?.content || undefined;
  }

  /**
   * The tokens that the files name and `tokens` lacks, with the ids that transformers 4.57 gives them: those of `vocab`, else new ones
   * from `next` on. What `added_tokens_decoder` lists comes first where `listed` is true.
   */
  missingTokens(tokens: ReadonlyMap<string, AddedToken>, vocab: TokenTable, listed: boolean): AddedToken[] {
    let next = vocab.size;
    for (const { id } of tokens.values()) next = Math.max(next, id + 1);
    const named = [...kNames.flatMap((name) => this.#specialTokens.get(name) ?? []), ...this.#moreTokens];
    const wanted = [
      ...(listed ? this.addedTokens().map(({ id: _, ...token }) => token) : []),
      ...named.map(({ content, flags }) => ({ content, ...(flags ?? kPlainFlags) })),
    ];
    const missing = new Map<string, AddedToken>();
    for (const token of wanted) {
      const { content } = token;
      if (content === '' || tokens.has(content) || missing.has(content)) continue;
      missing.set(content, { ...token, id: vocab.get(content) ?? next++, isNamedOnly: true });
    }
    return [...missing.values()];
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

/** The part of a definition that these files decide alone. */
export function settingsOf(
  config: TokenizerConfig,
): Pick<TokenizerDefinition, 'cleanUpSpaces' | 'namedTokens' | 'maxLength' | 'paddingSide' | 'truncationSide'> {
  return {
    cleanUpSpaces: config.flag('clean_up_tokenization_spaces') ?? false,
    namedTokens: config.namedTokens,
    maxLength: config.maxLength,
    paddingSide: config.paddingSide,
    truncationSide: config.truncationSide,
  };
}

/** `additional_special_tokens`, and `extra_special_tokens` as a list (transformers 5) or by names of their own. */
function readMoreTokens(nodes: readonly JsonNode[]): NamedToken[] {
  const lists = ['additional_special_tokens', 'extra_special_tokens'].flatMap((field) => {
    const node = nodes.find((each) => each.has(field) && each.get(field) !== undefined);
    const value = node?.get(field);
    if (node === undefined || value === undefined) return [];
    const values = Array.isArray(value) ? value : typeof value === 'object' ? Object.values(value as object) : undefined;
    if (values === undefined) throw node.wrong('a list of tokens', field, value);
    return values.map((each: unknown) => namedToken(each, `${node.path}: ${field}`));
  });
  return lists;
}

function namedToken(value: unknown, path: string): NamedToken {
  if (typeof value === 'string') return { content: value, flags: undefined };
  const token = new JsonNode(value, path);
  return { content: token.string('content', ''), flags: { ...readFlags(token), special: true } };
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
