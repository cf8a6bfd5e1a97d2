// The model that waimai starts from: a small BERT over bert-base-chinese's vocabulary with seeded numbers, the same for both libraries.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import { initialValues } from '../../src/training/program/initial-values.js';

const kHidden = 256;
const kLayers = 4;
const kIntermediate = 1024;
const kPositions = 512;

/** Writes its directory: config.json, tokenizer files and weights. `vocab` is bert-base-chinese's vocab.txt. */
export async function writeSmallChinese(directory: string, vocab: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  copyFileSync(vocab, join(directory, 'vocab.txt'));
  const words = readFileSync(vocab, 'utf8').trimEnd().split('\n').length;
  const json = (name: string, value: object): void => writeFileSync(join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
  json('tokenizer_config.json', { tokenizer_class: 'BertTokenizer', do_lower_case: false, model_max_length: kPositions });
  json('config.json', {
    architectures: ['BertModel'],
    model_type: 'bert',
    vocab_size: words,
    hidden_size: kHidden,
    num_hidden_layers: kLayers,
    num_attention_heads: 4,
    intermediate_size: kIntermediate,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    max_position_embeddings: kPositions,
    type_vocab_size: 2,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  });
  await writeSafetensors(join(directory, 'model.safetensors'), [...tensors(words)], new Map([['format', 'pt']]));
}

function* tensors(words: number) {
  const tensor = (name: string, ...shape: number[]) => {
    const values = initialValues(
      1,
      name,
      shape.reduce((product, dimension) => product * dimension),
      0.02,
    );
    // Padding is zero, as in transformers.
    if (name.endsWith('word_embeddings.weight')) values.fill(0, 0, kHidden);
    return { name, dtype: 'F32' as const, shape, bytes: new Uint8Array(values.buffer) };
  };
  const linear = (name: string, out: number, size: number) => [tensor(`${name}.weight`, out, size), tensor(`${name}.bias`, out)];
  const norm = (name: string) => [tensor(`${name}.weight`, kHidden), tensor(`${name}.bias`, kHidden)];
  yield tensor('embeddings.word_embeddings.weight', words, kHidden);
  yield tensor('embeddings.position_embeddings.weight', kPositions, kHidden);
  yield tensor('embeddings.token_type_embeddings.weight', 2, kHidden);
  yield* norm('embeddings.LayerNorm');
  for (let i = 0; i < kLayers; i++) {
    const layer = `encoder.layer.${i}`;
    for (const name of ['query', 'key', 'value']) yield* linear(`${layer}.attention.self.${name}`, kHidden, kHidden);
    yield* linear(`${layer}.attention.output.dense`, kHidden, kHidden);
    yield* norm(`${layer}.attention.output.LayerNorm`);
    yield* linear(`${layer}.intermediate.dense`, kIntermediate, kHidden);
    yield* linear(`${layer}.output.dense`, kHidden, kIntermediate);
    yield* norm(`${layer}.output.LayerNorm`);
  }
  yield* linear('pooler.dense', kHidden, kHidden);
}
