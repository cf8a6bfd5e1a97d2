import { join } from 'node:path';
import { loadEmbedder, loadModel, loadTokenizer, similarity, type Embedding, type Model } from '../../src/index.js';
import { packBatch } from '../../src/runtime/batch.js';
import {
  readCases,
  readTensors,
  type GoldenSequence,
  type GoldenTensor,
  type MinilmCase,
  type SentenceCase,
  type TinyCases,
} from './files.js';
import type { Report } from './report.js';
import { taskComparers } from './tasks.js';
import { compareSequence, encodeCase } from './tokens.js';

type Tensors = ReadonlyMap<string, GoldenTensor>;

const toIds = (sequence: GoldenSequence) => ({
  ids: Int32Array.from(sequence.input_ids),
  ...(sequence.token_type_ids === undefined ? {} : { typeIds: Int32Array.from(sequence.token_type_ids) }),
});

/** A transformers directory: the encoder on the given ids, the tokenizer on the texts, and what the model's task adds. */
export async function compareTiny(path: string, report: Report): Promise<void> {
  const golden = readCases<TinyCases>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const model = await loadModel(path, report.load);
  try {
    const sequences = golden.cases.flatMap(({ id, sequences: list }) =>
      list.map((sequence, i) => ({ name: list.length === 1 ? id : `${id}#${i}`, sequence })),
    );
    const results = await model.forward(sequences.map(({ sequence }) => toIds(sequence)));
    sequences.forEach(({ name }, i) => {
      report.compare(`last_hidden_state.${name}`, results[i]!.lastHiddenState.data, expected.get(`last_hidden_state.${name}`)!);
      const pooled = expected.get(`pooler_output.${name}`);
      if (pooled !== undefined) report.compare(`pooler_output.${name}`, results[i]!.poolerOutput?.data, pooled);
    });
    for (const { name, sequence } of sequences) await compareLayers(model, name, sequence, expected, report);
    for (const each of golden.cases) {
      const encodings = encodeCase(model.tokenizer, model.maxTokens, golden.task, each);
      if (encodings.length !== each.sequences.length) {
        report.failures.push(`${each.id}: expected ${each.sequences.length} sequences but received ${encodings.length}`);
      }
      each.sequences.forEach((sequence, i) => {
        compareSequence(report, `${each.id}#${i}`, encodings[i], sequence, [each.text, each.choices?.[i] ?? each.text_pair ?? '']);
      });
    }
    await compareTask(path, golden, expected, report);
  } finally {
    model.dispose();
  }
}

async function compareTask(path: string, golden: TinyCases, expected: Tensors, report: Report): Promise<void> {
  const comparer = taskComparers[golden.task];
  if (comparer !== undefined) return comparer(path, golden, expected, report);
  const ofEncoder = ['last_hidden_state', 'pooler_output', 'hidden', 'attention'];
  for (const name of expected.keys()) {
    const what = name.slice(0, name.indexOf('.'));
    if (!ofEncoder.includes(what)) report.leftOut.add(what);
  }
  if (golden.cases.some((each) => each.answer !== undefined)) report.leftOut.add(`answers (${golden.task})`);
}

/** Every layer of a sequence whose hidden states are in the file. It runs alone, the others ran in one batch. */
async function compareLayers(model: Model, name: string, sequence: GoldenSequence, expected: Tensors, report: Report): Promise<void> {
  if (!expected.has(`hidden.${name}.0`)) return;
  const { hiddenStates, attentions } = await model.forward(toIds(sequence), { hiddenStates: true, attentions: true });
  const compareAll = (what: string, actual: readonly { data: Float32Array }[]) => {
    for (let layer = 0; expected.has(`${what}.${name}.${layer}`); layer++) {
      report.compare(`${what}.${name}.${layer}`, actual[layer]?.data, expected.get(`${what}.${name}.${layer}`)!);
    }
  };
  compareAll('hidden', hiddenStates!);
  compareAll('attention', attentions!);
}

/** A sentence-transformers directory, from text to vector. */
export async function compareSentence(path: string, report: Report): Promise<void> {
  const { cases } = readCases<{ readonly cases: readonly SentenceCase[] }>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const tokenizer = await loadTokenizer(path);
  const embedder = await loadEmbedder(path, report.load);
  try {
    for (const [name, tensor] of expected) {
      const rows = cases.filter((each) => each.tensor === name).sort((a, b) => a.row - b.row);
      if (rows.length === 0) report.failures.push(`${name}: expected cases but received none`);
      const vectors = await embedder.embed(
        rows.map(({ text }) => text),
        name === 'embeddings' ? {} : promptOption(name.slice('embeddings.'.length)),
      );
      report.compare(name, flatten(vectors), tensor);
      for (const each of rows) {
        const text = each.prompt + each.text;
        const encoding = tokenizer.encode(text, { truncation: true, maxLength: embedder.maxTokens, offsets: true });
        compareSequence(report, `${name}[${each.row}]`, encoding, each, [text]);
      }
    }
  } finally {
    embedder.dispose();
  }
}

const promptOption = (name: string) => (name === 'none' ? { prompt: '' } : { promptName: name });

function flatten(embeddings: readonly Embedding[]): Float32Array {
  const width = embeddings[0]?.vector.length ?? 0;
  const all = new Float32Array(width * embeddings.length);
  embeddings.forEach(({ vector }, i) => all.set(vector, i * width));
  return all;
}

/** all-MiniLM-L6-v2: vectors from the texts, everything else from the given ids. `model` is its directory, or the bundled one. */
export async function compareMinilm(path: string, report: Report, directory?: string): Promise<void> {
  const { cases } = readCases<{ readonly cases: readonly MinilmCase[] }>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const embedder = await loadEmbedder(directory, report.load);
  try {
    const vectors = await embedder.embed(cases.map(({ text }) => text));
    report.compare('embeddings', flatten(vectors), expected.get('embeddings')!);
    const rows = similarity(vectors, vectors);
    report.compare('similarity', Float32Array.from(rows.flatMap((row) => Array.from(row))), expected.get('similarity')!);
  } finally {
    embedder.dispose();
  }
  const model = await loadModel(directory, report.load);
  try {
    const batch = packBatch(cases.map(toIds));
    const { lastHiddenState, poolerOutput, sentenceEmbedding, embeddingDimension: width } = model.values;
    const [hidden, pooled, mean] = await model.session.run(batch, [lastHiddenState, poolerOutput!, sentenceEmbedding]);
    const first = new Float32Array(cases.length * width);
    cases.forEach((_, i) => first.set(hidden!.subarray(batch.cuSeqlens[i]! * width, (batch.cuSeqlens[i]! + 1) * width), i * width));
    report.compare('mean', mean, expected.get('mean')!);
    report.compare('cls', first, expected.get('cls')!);
    report.compare('pooler_output', pooled, expected.get('pooler_output')!);
    for (const each of cases) {
      await compareLayers(model, each.id, each, expected, report);
      const encoding = model.tokenizer.encode(each.text, { truncation: true, maxLength: model.maxTokens, offsets: true });
      compareSequence(report, each.id, encoding, each, [each.text]);
    }
  } finally {
    model.dispose();
  }
}
