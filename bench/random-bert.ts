import { copyFileSync, closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../test/support/random.js';

/** Sizes of a BERT encoder. */
export interface BertShape {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
}

const kVocabSize = 30522;
const kPositions = 512;

/** Writes a model directory with seeded random weights; the tokenizer is copied from `tokenizerFrom`, an uncased BERT's directory. */
export function writeRandomBert(directory: string, shape: BertShape, tokenizerFrom: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'special_tokens_map.json']) {
    copyFileSync(join(tokenizerFrom, name), join(directory, name));
  }
  const config = {
    architectures: ['BertModel'],
    model_type: 'bert',
    hidden_act: 'gelu',
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    layer_norm_eps: 1e-12,
    max_position_embeddings: kPositions,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    type_vocab_size: 2,
    vocab_size: kVocabSize,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
  };
  writeFileSync(join(directory, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  writeSafetensors(join(directory, 'model.safetensors'), tensorsOf(shape));
}

function tensorsOf({ layers, hidden, intermediate }: BertShape): [string, number[]][] {
  const dense = (name: string, out: number, into: number): [string, number[]][] => [
    [`${name}.weight`, [out, into]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): [string, number[]][] => [
    [`${name}.weight`, [hidden]],
    [`${name}.bias`, [hidden]],
  ];
  const layer = (prefix: string) => [
    ...['query', 'key', 'value'].flatMap((each) => dense(`${prefix}.attention.self.${each}`, hidden, hidden)),
    ...dense(`${prefix}.attention.output.dense`, hidden, hidden),
    ...norm(`${prefix}.attention.output.LayerNorm`),
    ...dense(`${prefix}.intermediate.dense`, intermediate, hidden),
    ...dense(`${prefix}.output.dense`, hidden, intermediate),
    ...norm(`${prefix}.output.LayerNorm`),
  ];
  return [
    ['embeddings.word_embeddings.weight', [kVocabSize, hidden]],
    ['embeddings.position_embeddings.weight', [kPositions, hidden]],
    ['embeddings.token_type_embeddings.weight', [2, hidden]],
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
    ...dense('pooler.dense', hidden, hidden),
  ];
}

/** Writes seeded random tensors of these names and shapes, norms' weights as ones. Tensor by tensor, since all of them together are larger than one buffer should be; under another name until it is whole. */
export function writeSafetensors(path: string, tensors: readonly [string, number[]][]): void {
  let end = 0;
  const entries = tensors.map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil((json.length + 8) / 64) * 64 - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(`${path}.part`, 'w');
  writeSync(file, length);
  writeSync(file, header);
  const random = new Random(1);
  for (const [name, shape] of tensors) {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const isScale = /norm\.weight$/i.test(name);
    for (let i = 0; i < values.length; i++) values[i] = isScale ? 1 : 0.06 * (random.next() - 0.5);
    const bytes = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
  }
  closeSync(file);
  renameSync(`${path}.part`, path);
}
