import { Command } from 'commander';
import * as assert from 'uvu/assert';
import { addArgumentFlags, argumentsOf } from '../../src/cli/commands/training/argument-flags.js';
import { addDataFlags, collatorOptionsOf, type DataFlags } from '../../src/cli/commands/training/data-flags.js';
import { addSentenceFlags, sentenceOptionsOf } from '../../src/cli/commands/training/sentence-flags.js';
import { trainingArgumentNames, trainingArguments } from '../../src/training/arguments/training-arguments.js';
import { suite } from '../support/suite.js';

const t = suite('training cli');

function parsed(...args: string[]) {
  const command = addArgumentFlags(new Command('train').exitOverride());
  command.parse(args, { from: 'user' });
  return argumentsOf(command.opts(), command);
}

t('every training argument is a flag: its name in kebab-case, with a line of help', () => {
  const command = addArgumentFlags(new Command('train'));
  assert.equal(
    command.options.map(({ long }) => long!.replace(/^--(no-)?/, '')).sort(),
    trainingArgumentNames.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).sort(),
  );
  assert.ok(command.options.every(({ description, flags }) => description.length > 8 || flags.startsWith('--output-dir')));
});

t('objects are JSON, and switches without a default say true or false', () => {
  assert.equal(parsed('--lora', '{"r": 4}', '--lr-scheduler-kwargs', '{"num_cycles": 2}'), {
    lrSchedulerKwargs: { num_cycles: 2 },
    lora: { r: 4 },
  });
  assert.equal(parsed('--lora'), { lora: {} });
  assert.equal(parsed('--greater-is-better', 'false'), { greaterIsBetter: false });
  assert.equal(parsed('--save-dtype', 'bf16'), { saveDtype: 'bf16' });
});

t('options of how rows are read are flags of their tasks alone', () => {
  const flagsOf = (...args: string[]) => addDataFlags(new Command('train').exitOverride()).parse(args, { from: 'user' }).opts<DataFlags>();
  assert.equal(collatorOptionsOf('qa', flagsOf('--doc-stride', '64', '--max-length', '256', '--handle-impossible-answer')), {
    maxLength: 256,
    docStride: 64,
    handleImpossibleAnswer: true,
  });
  assert.equal(collatorOptionsOf('mlm', flagsOf('--mlm-probability', '0.3')), { mlmProbability: 0.3 });
  assert.equal(collatorOptionsOf('ner', flagsOf('--label-all-tokens')), { labelAllTokens: true });
  assert.throws(() => collatorOptionsOf('classify', flagsOf('--doc-stride', '64')), /--doc-stride, which is for qa/);
  for (const wrong of [
    ['--mlm-probability', '1.5'],
    ['--mlm-probability', ''],
    ['--doc-stride', '-1'],
  ]) {
    const command = addDataFlags(new Command('train').exitOverride().configureOutput({ writeErr: () => undefined }));
    assert.throws(() => command.parse(wrong, { from: 'user' }), /Expected a/);
  }
});

t('flags of sentence embeddings belong to their tasks alone', () => {
  const flagsOf = (...args: string[]): object => addSentenceFlags(new Command('train').exitOverride()).parse(args, { from: 'user' }).opts();
  const given = flagsOf('--scale', '10', '--matryoshka-dims', '32,16', '--mini-batch-size', '8', '--batch-sampler', 'batch_sampler');
  const expected = { scale: 10, matryoshkaDims: [32, 16], miniBatchSize: 8, batchSampler: 'batch_sampler' };
  assert.equal(sentenceOptionsOf('pairs', given), expected);
  assert.equal(sentenceOptionsOf('similarity', flagsOf()), { loss: 'CoSENT' });
  assert.equal(sentenceOptionsOf('triplets', flagsOf('--loss', 'MultipleNegativesRanking')), { loss: 'MultipleNegativesRanking' });
  assert.equal(sentenceOptionsOf('classify', flagsOf()), {});
  assert.throws(() => sentenceOptionsOf('classify', given), /--scale, which is for pairs, similarity, triplets/);
});

t('flags become numbers, switches, names and lists, and only those that were typed', () => {
  assert.equal(parsed(), {});
  const given = parsed('--learning-rate', '2e-5', '--bf16', '--no-progress', '--eval-strategy', 'epoch', '--freeze', 'embeddings, layer.0');
  assert.equal(given, { learningRate: 2e-5, evalStrategy: 'epoch', bf16: true, freeze: ['embeddings', 'layer.0'], progress: false });
  assert.is(trainingArguments(given).learningRate, 2e-5);
  assert.throws(() => trainingArguments(parsed('--max-steps', 'many')), /maxSteps/);
});

t.run();
