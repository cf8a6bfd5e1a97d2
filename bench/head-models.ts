import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../src/checkpoint/safetensors/safetensors.js';
import { writeSafetensors } from '../src/checkpoint/safetensors/safetensors-writer.js';
import { Random } from '../test/support/random.js';
import type { BenchModel } from './engine.js';
import { cacheFolder } from './models.js';

/** A head: the class that has it and its tensors. */
interface HeadSpec {
  readonly className: string;
  readonly labels: readonly string[];
  readonly tensors: (hidden: number, vocab: number) => readonly (readonly [string, readonly number[]])[];
}

/** The heads that the task bench needs. */
export const kHeads = {
  masked: {
    className: 'BertForMaskedLM',
    labels: ['LABEL_0'],
    tensors: (hidden, vocab) => [
      ['cls.predictions.transform.dense.weight', [hidden, hidden]],
      ['cls.predictions.transform.dense.bias', [hidden]],
      ['cls.predictions.transform.LayerNorm.weight', [hidden]],
      ['cls.predictions.transform.LayerNorm.bias', [hidden]],
      ['cls.predictions.bias', [vocab]],
    ],
  },
  inference: {
    className: 'BertForSequenceClassification',
    labels: ['contradiction', 'neutral', 'entailment'],
    tensors: (hidden) => [
      ['classifier.weight', [3, hidden]],
      ['classifier.bias', [3]],
    ],
  },
  answers: {
    className: 'BertForQuestionAnswering',
    labels: ['LABEL_0'],
    tensors: (hidden) => [
      ['qa_outputs.weight', [2, hidden]],
      ['qa_outputs.bias', [2]],
    ],
  },
} satisfies Record<string, HeadSpec>;

/** A directory with the encoder of `model` in one shard and a random head in another. */
export async function withHead(model: BenchModel, head: keyof typeof kHeads): Promise<string> {
  const directory = join(cacheFolder, `${model.name}-${head}`);
  if (existsSync(join(directory, 'model.safetensors.index.json'))) return directory;
  mkdirSync(directory, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'special_tokens_map.json']) {
    copyFileSync(join(model.directory, name), join(directory, name));
  }
  const spec: HeadSpec = kHeads[head];
  const config = JSON.parse(readFileSync(join(model.directory, 'config.json'), 'utf8')) as { hidden_size: number; vocab_size: number };
  const id2label = Object.fromEntries(spec.labels.map((label, id) => [id, label]));
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ ...config, architectures: [spec.className], id2label }, undefined, 2));
  linkOrCopy(join(model.directory, 'model.safetensors'), join(directory, 'encoder.safetensors'));
  const random = new Random(2);
  const tensors = spec.tensors(config.hidden_size, config.vocab_size).map(([name, shape]) => ({
    name,
    dtype: 'F32' as const,
    shape,
    bytes: new Uint8Array(
      random.floats(
        shape.reduce((size, dimension) => size * dimension, 1),
        0.05,
      ).buffer,
    ),
  }));
  await writeSafetensors(join(directory, 'head.safetensors'), tensors);
  const encoder = await SafetensorsFile.open(join(directory, 'encoder.safetensors'));
  const names = [...encoder.tensors.keys()].map((name): [string, string] => [name, 'encoder.safetensors']);
  await encoder.close();
  const map = Object.fromEntries([...names, ...tensors.map(({ name }): [string, string] => [name, 'head.safetensors'])]);
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  return directory;
}

function linkOrCopy(from: string, to: string): void {
  if (existsSync(to)) return;
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}
