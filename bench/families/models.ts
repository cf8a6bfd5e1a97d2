import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchModel } from '../engine.js';
import { cacheFolder, exportOnnx } from '../models.js';
import { writeSafetensors } from '../random-bert.js';

type Tensors = [name: string, shape: number[]][];

/** A model of a family with random weights: its config.json and what its file holds. */
interface RandomModel {
  readonly name: string;
  readonly config: { readonly vocab_size: number; readonly hidden_size: number; readonly [field: string]: unknown };
  readonly tensors: Tensors;
}

/** The shape of multilingual-e5-small and of the small multilingual MiniLM, whose table has 250,002 rows of 384. */
export function xlmRobertaSmall(): RandomModel {
  const [layers, hidden, inner] = [12, 384, 1536];
  const dense = (name: string, out: number, into: number): Tensors => [
    [`${name}.weight`, [out, into]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): Tensors => ['weight', 'bias'].map((part) => [`${name}.${part}`, [hidden]]);
  const layer = (name: string): Tensors => [
    ...['self.query', 'self.key', 'self.value', 'output.dense'].flatMap((each) => dense(`${name}.attention.${each}`, hidden, hidden)),
    ...norm(`${name}.attention.output.LayerNorm`),
    ...dense(`${name}.intermediate.dense`, inner, hidden),
    ...dense(`${name}.output.dense`, hidden, inner),
    ...norm(`${name}.output.LayerNorm`),
  ];
  const sizes = { vocab_size: 250_002, hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers, num_attention_heads: 12 };
  return {
    name: 'XLM-R small',
    config: {
      ...{ architectures: ['XLMRobertaModel'], model_type: 'xlm-roberta', hidden_act: 'gelu', layer_norm_eps: 1e-5, pad_token_id: 1 },
      ...{ ...sizes, max_position_embeddings: 514, type_vocab_size: 1 },
    },
    tensors: [
      ['embeddings.word_embeddings.weight', [sizes.vocab_size, hidden]],
      ['embeddings.position_embeddings.weight', [514, hidden]],
      ['embeddings.token_type_embeddings.weight', [1, hidden]],
      ...norm('embeddings.LayerNorm'),
      ...Array.from({ length: layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
    ],
  };
}

/** ModernBERT-base; with `kinds` a shorter one whose layers are of these kinds. */
export function modernBertBase(kinds?: readonly ('full' | 'sliding')[]): RandomModel {
  const [hidden, inner, vocabSize] = [768, 1152, kinds === undefined ? 50_368 : 1000];
  const layerKinds = kinds ?? Array.from({ length: 22 }, (_, i) => (i % 3 === 0 ? 'full' : 'sliding'));
  const layer = (i: number): Tensors => [
    ...(i === 0 ? [] : [[`layers.${i}.attn_norm.weight`, [hidden]] as Tensors[number]]),
    [`layers.${i}.attn.Wqkv.weight`, [3 * hidden, hidden]],
    [`layers.${i}.attn.Wo.weight`, [hidden, hidden]],
    [`layers.${i}.mlp_norm.weight`, [hidden]],
    [`layers.${i}.mlp.Wi.weight`, [2 * inner, hidden]],
    [`layers.${i}.mlp.Wo.weight`, [hidden, inner]],
  ];
  const rope = (theta: number) => ({ rope_theta: theta, rope_type: 'default' });
  return {
    name: kinds === undefined ? 'ModernBERT-base' : `ModernBERT, ${kinds[0]} layers`,
    config: {
      ...{ architectures: ['ModernBertModel'], model_type: 'modernbert', hidden_activation: 'gelu', norm_eps: 1e-5 },
      ...{ vocab_size: vocabSize, hidden_size: hidden, intermediate_size: inner, num_attention_heads: 12, pad_token_id: 1 },
      ...{ num_hidden_layers: layerKinds.length, max_position_embeddings: 8192, local_attention: 128 },
      layer_types: layerKinds.map((kind) => `${kind}_attention`),
      rope_parameters: { full_attention: rope(160_000), sliding_attention: rope(10_000) },
    },
    tensors: [
      ['embeddings.tok_embeddings.weight', [vocabSize, hidden]],
      ['embeddings.norm.weight', [hidden]],
      ...layerKinds.flatMap((_, i) => layer(i)),
      ['final_norm.weight', [hidden]],
    ],
  };
}

/** Writes a model with a tokenizer of as many words, once; with a Python, its ONNX graphs too. */
export function makeModel({ name, config, tensors }: RandomModel, python?: string): BenchModel {
  const directory = join(cacheFolder, name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(directory, 'model.safetensors'))) {
    const special = ['<s>', '<pad>', '</s>', '<unk>'];
    const words = Array.from({ length: config.vocab_size }, (_, id) => special[id] ?? `w${id}`);
    const model = { type: 'WordLevel', unk_token: '<unk>', vocab: Object.fromEntries(words.map((word, id) => [word, id])) };
    const around = { sep: ['</s>', 2], cls: ['<s>', 0] };
    const tokenizer = { version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: null };
    const json = { ...tokenizer, post_processor: { type: 'BertProcessing', ...around }, model };
    writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(json));
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
    writeSafetensors(join(directory, 'model.safetensors'), tensors);
  }
  const onnx = python === undefined ? {} : exportOnnx(directory, directory, python, 'export_families.py');
  const [layers, intermediate] = [Number(config['num_hidden_layers']), Number(config['intermediate_size'])];
  return { name, directory, onnx, layers, hidden: config.hidden_size, intermediate };
}
