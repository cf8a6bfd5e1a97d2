import path from 'node:path';
import type { JsonObject } from '../../checkpoint/json-fields.js';

/** What the files of a sentence model say that was none before. */
export interface NewSentenceModel {
  /** Numbers of a token's vector. */
  readonly width: number;
  /** Most tokens of a text. */
  readonly maxLength: number;
}

const kPooling = '1_Pooling';

/**
 * The files by which sentence-transformers, of any version since 2, makes vectors of an encoder: the mean over the tokens. By their names in
 * the model's directory.
 */
export function newSentenceFiles({ width, maxLength }: NewSentenceModel): ReadonlyMap<string, JsonObject | readonly JsonObject[]> {
  const entry = (idx: number, folder: string, kind: string): JsonObject => ({
    idx,
    name: String(idx),
    path: folder,
    type: `sentence_transformers.models.${kind}`,
  });
  const modes = { cls_token: false, mean_tokens: true, max_tokens: false, mean_sqrt_len_tokens: false };
  const pooling = Object.fromEntries(Object.entries(modes).map(([mode, isUsed]) => [`pooling_mode_${mode}`, isUsed]));
  return new Map<string, JsonObject | readonly JsonObject[]>([
    ['modules.json', [entry(0, '', 'Transformer'), entry(1, kPooling, 'Pooling')]],
    ['sentence_bert_config.json', { max_seq_length: maxLength, do_lower_case: false }],
    ['config_sentence_transformers.json', { prompts: {}, default_prompt_name: null, similarity_fn_name: 'cosine' }],
    [path.posix.join(kPooling, 'config.json'), { word_embedding_dimension: width, ...pooling }],
  ]);
}
