// Students of tiny teachers: what they begin with, what they are taught, and what is refused.
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadModel } from '../../src/models/model.js';
import { Teacher } from '../../src/training/distillation/teacher.js';
import { distill, type DistillOptions } from '../../src/training/index.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { keepLayers } from '../../src/training/pruning/keep-layers.js';
import { packBatch } from '../../src/runtime/batch.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('distillation');
const teacherOf = (name: string): string => golden('tiny', name);
const words = ['a cat', 'the dog runs', 'one of them', 'it was said', 'rain in May', 'who knows why', 'the end of it', 'two and two'];
const labels = ['contradiction', 'entailment', 'neutral'];
const rows = words.map((text, i) => ({ text, textPair: words[(i * 3) % 8]!, label: labels[i % 3]! }));
const options = (more: Partial<DistillOptions> = {}): DistillOptions => ({
  teacher: teacherOf('bert-nli'),
  student: { layers: [0, 2] },
  task: 'text-classification',
  trainDataset: rows,
  maxSteps: 4,
  progress: false,
  ...more,
});

t('a student begins with the chosen layers, in the families with layers of their own names', async () => {
  for (const [name, layers] of [
    ['bert-nli', [3, 1]],
    ['distilbert-sequence-classification', [0]],
    ['mpnet-base', [0]],
    ['electra-discriminator', [0]],
    ['bert-f16', [0]],
  ] as const) {
    const folder = temporaryFolder();
    await keepLayers(teacherOf(name), layers, folder);
    const [teacher, student] = [await loadModel(teacherOf(name)), await loadModel(folder)];
    assert.is(student.config.numLayers, layers.length, name);
    assert.equal(Object.keys(student.values.heads), Object.keys(teacher.values.heads), name);
    const [ids] = [teacher.tokenizer.encode('a cat')];
    const [whole, part] = [
      await teacher.forward(ids, { hiddenStates: true, pooler: false }),
      await student.forward(ids, { hiddenStates: true, pooler: false }),
    ];
    // What comes before the first layer that was left out is the same to the bit.
    const same = layers[0] === 0 ? 1 : 0;
    for (let state = 0; state <= same; state++) assert.equal(part.hiddenStates![state], whole.hiddenStates![state], `${name} ${state}`);
    teacher.dispose();
    student.dispose();
  }
});

t('all layers in their order are the model itself', async () => {
  const folder = temporaryFolder();
  await keepLayers(teacherOf('bert-nli'), [0, 1, 2, 3], folder);
  const [teacher, student] = [await loadModel(teacherOf('bert-nli')), await loadModel(folder)];
  const encoding = teacher.tokenizer.encode('the dog runs');
  assert.equal(await student.forward(encoding), await teacher.forward(encoding));
  teacher.dispose();
  student.dispose();
});

t('the loss is α CE + (1 - α) T² KL + the squared errors of states, and its gradient is that of differences', async () => {
  const states = [
    { student: 0, teacher: 0, weight: 0.5 },
    { student: 1, teacher: 2, weight: 2 },
  ];
  const [alpha, temperature] = [0.3, 2];
  const folder = temporaryFolder();
  await keepLayers(teacherOf('bert-nli'), [0], folder);
  const teacher = await loadModel(teacherOf('bert-nli'));
  const student = await LearningModel.load(folder, {
    task: 'text-classification',
    seed: 1,
    freeze: [],
    distillation: { alpha, temperature },
    teacher: { states: states.map(({ student: state, weight }) => ({ state, weight })) },
  });
  const packed = packBatch(words.map((text) => teacher.tokenizer.encode(text)));
  const tokens = packed.inputIds.length;
  const classes = Int32Array.from(words, (_, i) => i % 3);
  const taught = await new Teacher(teacher, 'text-classification', states).teach({ ...packed, labels: classes }, undefined);
  const { hiddenStates, heads } = student.model.values;
  const outputs = await student.model.session.run(packed, [heads.sequenceClassification!, hiddenStates[0]!, hiddenStates[1]!]);
  const [logits] = outputs;
  const softmax = (row: Float32Array, divisor: number): number[] => {
    const powers = Array.from(row, (value) => Math.exp(value / divisor));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };
  const meanSquare = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;
  let expected = 0.5 * meanSquare(outputs[1]!, taught.teacherState0!) + 2 * meanSquare(outputs[2]!, taught.teacherState1!);
  for (let i = 0; i < words.length; i++) {
    const [own, theirs] = [logits!.subarray(3 * i, 3 * i + 3), taught.teacher.subarray(3 * i, 3 * i + 3)];
    const soft = softmax(theirs, temperature);
    const divergence = softmax(own, temperature).reduce((sum, p, c) => sum + soft[c]! * Math.log(soft[c]! / p), 0);
    expected += (-alpha * Math.log(softmax(own, 1)[i % 3]!) + (1 - alpha) * temperature ** 2 * divergence) / words.length;
  }
  // Dropout is of the config: its masks are drawn in steps, not in the outputs above.
  const numItems = [words.length, tokens];
  const still = await LearningModel.load(withoutDropout(folder), {
    task: 'text-classification',
    seed: 1,
    distillation: { alpha, temperature },
    teacher: { states: states.map(({ student: state, weight }) => ({ state, weight })) },
  });
  const lossOf = async (): Promise<number> => {
    const { loss } = await still.session.accumulate([taught], { numItems, microStep: 0 });
    still.session.zeroGradients();
    return loss;
  };
  const loss = await lossOf();
  assert.ok(Math.abs(loss - expected) < 1e-4 * Math.abs(expected), `${loss}, expected ${expected}`);

  // Along the gradient of one matrix the loss changes by step · |gradient|².
  const weight = still.training.weights.find(({ parts }) => parts.some(({ name }) => name.endsWith('layer.0.output.dense.weight')))!;
  await still.session.accumulate([taught], { numItems, microStep: 0 });
  const gradient = await still.session.read(weight.id, 'gradient', 0, weight.rows);
  still.session.zeroGradients();
  const values = await still.session.read(weight.id, 'value', 0, weight.rows);
  const square = gradient.reduce((sum, value) => sum + value * value, 0);
  const step = (0.02 * loss) / square;
  const at: number[] = [];
  for (const sign of [1, -1]) {
    await still.session.write(
      weight.id,
      'value',
      0,
      values.map((value, i) => value + sign * step * gradient[i]!),
    );
    at.push(await lossOf());
  }
  const slope = (at[0]! - at[1]!) / (2 * step);
  assert.ok(Math.abs(slope / square - 1) < 0.02, `${slope}, expected ${square}`);
  for (const each of [teacher, student, still]) each.dispose();
});

t('a student comes nearer to its teacher, with and without labels, and is reported beside it', async () => {
  const outputDir = join(temporaryFolder(), 'student');
  const unlabelled = rows.map(({ text, textPair }) => ({ text, textPair }));
  const losses: number[] = [];
  const { model, report, metrics } = await distill(
    options({
      trainDataset: unlabelled,
      evalDataset: rows,
      alpha: 0,
      hiddenWeight: 1,
      embeddingWeight: 1,
      maxSteps: 30,
      learningRate: 3e-3,
      loggingSteps: 10,
      outputDir,
      saveStrategy: 'no',
      callbacks: [{ onLog: (_, { loss }) => void (loss !== undefined && losses.push(loss)) }],
    }),
  );
  assert.ok(losses.at(-1)! < 0.8 * losses[0]!, losses.join(', '));
  assert.equal([report.teacher.layers, report.student.layers], [4, 2]);
  assert.ok(report.speedup > 0 && report.student.weightBytes < report.teacher.weightBytes);
  assert.is(metrics['eval_accuracy'], report.student.metrics['accuracy']);
  assert.ok(report.teacher.metrics['accuracy']! >= 0);
  const saved = await loadModel(outputDir);
  const encoding = model.tokenizer.encode('a cat');
  assert.equal(await saved.forward(encoding), await model.forward(encoding));
  assert.equal(saved.config.id2label, labels);
  model.dispose();
  saved.dispose();
});

t('sentence vectors are learned from pairs or single texts, and scored on pairs', async () => {
  const scored = rows.map(({ text, textPair }, i) => ({ text, textPair, score: i / 7 }));
  const { model, report, metrics } = await distill(
    options({
      task: 'sentence-embedding',
      trainDataset: scored,
      evalDataset: scored,
      evalStrategy: 'epoch',
      numTrainEpochs: 1,
      maxSteps: -1,
    }),
  );
  const single = await distill(
    options({ task: 'sentence-embedding', trainDataset: rows.map(({ text }) => ({ text, label: 'a class' })), maxSteps: 1 }),
  );
  single.model.dispose();
  assert.ok(Number.isFinite(report.student.metrics['spearman']));
  assert.is(metrics['eval_spearman'], report.student.metrics['spearman']);
  model.dispose();
});

t('what cannot be is refused by name', async () => {
  const codeOf = async (more: Partial<DistillOptions>) => (await rejection(() => distill(options(more)))).code;
  for (const layers of [[], [4], [-1], [0, 0], [0.5], ['0'], undefined]) {
    assert.is(await codeOf({ student: { layers: layers as number[] } }), 'INVALID_OPTION', JSON.stringify(layers));
  }
  const other = await rejection(() => distill(options({ student: teacherOf('bert-sequence-classification') })));
  assert.is(other.code, 'MODEL_MISMATCH');
  assert.match(other.message, /vocabulary \(\d+ tokens\).*one of \d+ tokens/);
  assert.is(await codeOf({ alpha: 1.5 }), 'INVALID_OPTION');
  assert.is(await codeOf({ temperature: 0 }), 'INVALID_OPTION');
  assert.is(await codeOf({ hiddenWeight: -1 }), 'INVALID_OPTION');
  assert.is(await codeOf({ task: 'question-answering' as 'fill-mask' }), 'INVALID_OPTION');
  assert.is(await codeOf({ task: 'next-sentence-prediction' }), 'NO_HEAD');
  assert.is(await codeOf({ trainDataset: [{ text: 'a', label: 'else' }] }), 'DATASET');
  assert.is(await codeOf({ teacher: undefined as unknown as string }), 'INVALID_OPTION');
});

/** A copy of a model in which nothing is dropped. */
function withoutDropout(folder: string): string {
  const copy = temporaryFolder(folder);
  editJson(join(copy, 'config.json'), { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  return copy;
}

t.run();
