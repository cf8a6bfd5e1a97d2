import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../models.js';
import { writeSafetensors } from '../random-bert.js';

/** Marian-base: what opus-mt models are. */
const base = { hidden: 512, inner: 2048, heads: 8, layers: 6, vocabSize: 58_101, positions: 512 };
/** For trying the bench itself. */
const small = { hidden: 64, inner: 128, heads: 4, layers: 1, vocabSize: 1000, positions: 512 };

/** The tokenizer's files; what is missing of the vocabulary are words that no text has. */
const tokenizer = fileURLToPath(new URL('../../test/golden-generation/tiny/marian-separate/', import.meta.url));

/** A model directory of Marian's shape with seeded random weights, in bench/.cache: transformers, CTranslate2 and Bertha read the same files. */
export function randomMarian(isSmall: boolean): { readonly directory: string; readonly vocabSize: number } {
  const shape = isSmall ? small : base;
  const directory = join(cacheFolder, isSmall ? 'marian-small-random' : 'marian-base-random');
  if (!existsSync(join(directory, 'model.safetensors'))) write(directory, shape);
  return { directory, vocabSize: shape.vocabSize };
}

function write(directory: string, shape: typeof base): void {
  mkdirSync(directory, { recursive: true });
  const json = (name: string, value: object): void => writeFileSync(join(directory, name), `${JSON.stringify(value, undefined, 1)}\n`);
  for (const name of ['source.spm', 'target.spm']) copyFileSync(join(tokenizer, name), join(directory, name));
  const { hidden, inner, heads, layers, vocabSize, positions } = shape;
  json('vocab.json', vocabulary(vocabSize));
  json('tokenizer_config.json', {
    tokenizer_class: 'MarianTokenizer',
    source_lang: 'en',
    target_lang: 'de',
    unk_token: '<unk>',
    eos_token: '</s>',
    pad_token: '<pad>',
    model_max_length: positions,
    separate_vocabs: false,
  });
  const ids = { decoder_start_token_id: vocabSize - 1, eos_token_id: 0, pad_token_id: vocabSize - 1 };
  json('generation_config.json', { ...ids, max_length: positions });
  json('config.json', {
    ...ids,
    architectures: ['MarianMTModel'],
    model_type: 'marian',
    is_encoder_decoder: true,
    d_model: hidden,
    activation_function: 'swish',
    encoder_layers: layers,
    decoder_layers: layers,
    num_hidden_layers: layers,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    encoder_ffn_dim: inner,
    decoder_ffn_dim: inner,
    max_position_embeddings: positions,
    vocab_size: vocabSize,
    decoder_vocab_size: vocabSize,
    scale_embedding: true,
    share_encoder_decoder_embeddings: true,
    static_position_embeddings: true,
    tie_word_embeddings: true,
  });
  writeSafetensors(join(directory, 'model.safetensors'), tensorsOf(shape));
}

function vocabulary(size: number): Record<string, number> {
  const pieces = ['vocab.json', 'target_vocab.json'].flatMap((name) =>
    Object.keys(JSON.parse(readFileSync(join(tokenizer, name), 'utf8')) as object),
  );
  const words = new Set(['</s>', '<unk>', ...pieces.filter((piece) => piece !== '<pad>')]);
  for (let i = 0; words.size < size - 1; i++) words.add(`▁word${i}`);
  return Object.fromEntries([...words, '<pad>'].map((word, id) => [word, id]));
}

function tensorsOf({ hidden, inner, layers, vocabSize }: typeof base): [string, number[]][] {
  const dense = (name: string, out: number, into: number): [string, number[]][] => [
    [`${name}.weight`, [out, into]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): [string, number[]][] => ['weight', 'bias'].map((part) => [`${name}.${part}`, [hidden]]);
  const attention = (name: string): [string, number[]][] => [
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((each) => dense(`${name}.${each}`, hidden, hidden)),
    ...norm(`${name}_layer_norm`),
  ];
  const layer = (half: 'encoder' | 'decoder', name: string): [string, number[]][] => [
    ...attention(`${name}.self_attn`),
    ...(half === 'decoder' ? attention(`${name}.encoder_attn`) : []),
    ...dense(`${name}.fc1`, inner, hidden),
    ...dense(`${name}.fc2`, hidden, inner),
    ...norm(`${name}.final_layer_norm`),
  ];
  const half = (name: 'encoder' | 'decoder') => Array.from({ length: layers }, (_, i) => layer(name, `model.${name}.layers.${i}`)).flat();
  return [['model.shared.weight', [vocabSize, hidden]], ...half('encoder'), ...half('decoder'), ['final_logits_bias', [1, vocabSize]]];
}
