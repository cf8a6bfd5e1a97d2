import path from 'node:path';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import type { TokenizerFiles } from '../../tokenizer/index.js';

/** How texts are normalized before they are cut into words; the defaults are BERT's. */
export interface Normalization {
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  readonly handleChineseChars: boolean;
}

/** The tokens that BERT needs, by their names in tokenizer_config.json. */
export const kBertTokens = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
} as const;

/** Words of more characters are [UNK] as a whole, as in the published models. */
const kMostCharacters = 100;

/** The contents of tokenizer.json, vocab.txt and tokenizer_config.json of a WordPiece vocabulary, as transformers and tokenizers read them. */
export function tokenizerFiles(
  tokens: readonly string[],
  special: readonly string[],
  { lowercase, stripAccents, handleChineseChars }: Normalization,
  maxLength: number,
): Required<Pick<TokenizerFiles, 'tokenizerJson' | 'vocab' | 'tokenizerConfig'>> {
  const [cls, sep] = [kBertTokens.cls_token, kBertTokens.sep_token];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const piece = (id: string, type: 0 | 1) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: 'A' | 'B', type: 0 | 1) => ({ Sequence: { id, type_id: type } });
  const tokenOf = (id: string) => [id, { id, ids: [idOf.get(id)!], tokens: [id] }];
  const own: readonly string[] = Object.values(kBertTokens);
  const additional = special.filter((token) => !own.includes(token));
  return {
    tokenizerJson: json({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.map((content) => ({
        id: idOf.get(content)!,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: handleChineseChars,
        strip_accents: stripAccents,
        lowercase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [piece(cls, 0), text('A', 0), piece(sep, 0)],
        pair: [piece(cls, 0), text('A', 0), piece(sep, 0), text('B', 1), piece(sep, 1)],
        special_tokens: Object.fromEntries([tokenOf(cls), tokenOf(sep)]),
      },
      decoder: { type: 'WordPiece', prefix: kPrefix, cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: kBertTokens.unk_token,
        continuing_subword_prefix: kPrefix,
        max_input_chars_per_word: kMostCharacters,
        vocab: Object.fromEntries(idOf),
      },
    }),
    vocab: tokens.map((token) => `${token}\n`).join(''),
    tokenizerConfig: json({
      tokenizer_class: 'BertTokenizer',
      do_lower_case: lowercase,
      strip_accents: stripAccents,
      tokenize_chinese_chars: handleChineseChars,
      model_max_length: maxLength,
      ...kBertTokens,
      ...(additional.length > 0 ? { additional_special_tokens: additional } : {}),
    }),
  };
}

/** What a piece begins with that goes on with a word. */
export const kPrefix = '##';

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Writes a tokenizer's files into a directory, which is made where there is none. Errors: IO. */
export async function writeTokenizerFiles(directory: string, files: TokenizerFiles): Promise<void> {
  await makeFolder(directory);
  const named = { 'tokenizer.json': files.tokenizerJson, 'vocab.txt': files.vocab, 'tokenizer_config.json': files.tokenizerConfig };
  for (const [name, contents] of Object.entries(named)) {
    if (contents !== undefined) await replaceFile(path.join(directory, name), [Buffer.from(contents)]);
  }
}
