// Which rate of config.json is used before RoBERTa's multiple choice: that of transformers' class, hidden_dropout_prob.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { train } from '../../src/training/index.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('dropout of families');
const source = fileURLToPath(new URL('../golden-families/tiny/xlmr-base', import.meta.url));
const rows = ['hello', 'the cat', 'a b c', 'nothing'].map((text, i) => ({ text, choices: [`${text} one`, 'two three'], label: i % 2 }));

async function lossWith(rates: object): Promise<number> {
  const [folder, outputDir] = [temporaryFolder(), temporaryFolder()];
  cpSync(source, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as object;
  const none = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, classifier_dropout: null };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...none, ...rates }));
  const { model, metrics } = await train(folder, rows, {
    task: 'multiple-choice',
    outputDir,
    maxSteps: 2,
    learningRate: 0.01,
    saveStrategy: 'no',
  });
  model.dispose();
  return metrics['train_loss']!;
}

t("xlm-roberta's multiple choice drops by hidden_dropout_prob, whatever classifier_dropout says", async () => {
  const plain = await lossWith({});
  assert.is(await lossWith({ classifier_dropout: 0.9 }), plain);
  assert.is.not(await lossWith({ hidden_dropout_prob: 0.5 }), plain);
});

t.run();
