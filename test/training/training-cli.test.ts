import { Command } from 'commander';
import * as assert from 'uvu/assert';
import { addArgumentFlags, argumentsOf } from '../../src/cli/commands/training/argument-flags.js';
import { trainingArgumentNames, trainingArguments } from '../../src/training/arguments/training-arguments.js';
import { suite } from '../support/suite.js';

const t = suite('training cli');

function parsed(...args: string[]) {
  const command = addArgumentFlags(new Command('train').exitOverride());
  command.parse(args, { from: 'user' });
  return argumentsOf(command.opts(), command);
}

t('every training argument but objects and paths is a flag', () => {
  const command = addArgumentFlags(new Command('train'));
  const flags = command.options.map((option) => option.attributeName());
  assert.equal(
    trainingArgumentNames.filter((name) => !flags.includes(name)),
    ['outputDir', 'lrSchedulerKwargs', 'lora'],
  );
});

t('flags become numbers, switches, names and lists, and only those that were typed', () => {
  assert.equal(parsed(), {});
  const given = parsed('--learning-rate', '2e-5', '--bf16', '--no-progress', '--eval-strategy', 'epoch', '--freeze', 'embeddings, layer.0');
  assert.equal(given, { learningRate: 2e-5, evalStrategy: 'epoch', bf16: true, freeze: ['embeddings', 'layer.0'], progress: false });
  assert.is(trainingArguments(given).learningRate, 2e-5);
  assert.throws(() => trainingArguments(parsed('--max-steps', 'many')), /maxSteps/);
});

t.run();
