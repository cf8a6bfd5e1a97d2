import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { explain, type ExplainInput, type ExplainOptions } from '../../src/explain/index.js';
import { requireAffordable } from '../../src/explain/attribution/options.js';
import { loadModel, multipleChoice, predictNextSentence, recognizeEntities, type Model } from '../../src/index.js';
import { suite } from '../support/suite.js';

const t = suite('what is explained of an answer');

async function withModel(name: string, use: (model: Model) => Promise<void>): Promise<void> {
  const model = await loadModel(fileURLToPath(new URL(`../golden/tiny/${name}`, import.meta.url)));
  await use(model).finally(() => model.dispose());
}

/** Holds the score to the task's probability, gradients to the chain rule, and integrated gradients to what they add up to. */
async function check(model: Model, input: ExplainInput, options: ExplainOptions, probability: number): Promise<void> {
  const at = { ...options, method: 'gradient-x-input', units: 'tokens', baseline: 'zero' } as const;
  const log = await explain(model, input, { ...at, output: 'log-probability' });
  const share = await explain(model, input, { ...at, output: 'probability' });
  assert.ok(Math.abs(share.score - probability) < 1e-5, `${share.score}, expected ${probability}`);
  assert.ok(Math.abs(log.score - Math.log(probability)) < 1e-4 * Math.max(1, Math.abs(log.score)));
  assert.ok(log.attributions.some(({ value }) => Math.abs(value) > 1e-4));
  log.attributions.forEach(({ value }, i) => {
    const wanted = value * share.score;
    assert.ok(Math.abs(share.attributions[i]!.value - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)), `${i}`);
  });
  for (const output of ['probability', 'log-probability'] as const) {
    const { score, baselineScore, delta } = await explain(model, input, { ...options, output, steps: 128 });
    assert.ok(Math.abs(delta) <= 0.01 * Math.abs(score - baselineScore) + 1e-5, `${output}: ${delta}`);
  }
}

t('of multiple choice: the softmax of the choices, the others as they are', () =>
  withModel('bert-multiple-choice', async (model) => {
    const input = { text: 'hello you', choices: ['the band', 'hello', 'you band'] };
    const { scores } = await multipleChoice(model, input);
    for (const choice of [0, 2]) await check(model, input, { target: { choice } }, scores[choice]!);
    const at = { target: { choice: 1 }, method: 'gradient-x-input', units: 'tokens', baseline: 'zero' } as const;
    const [logit, log] = [await explain(model, input, at), await explain(model, input, { ...at, output: 'log-probability' })];
    log.attributions.forEach(({ value }, i) => {
      const wanted = (1 - scores[1]!) * logit.attributions[i]!.value;
      assert.ok(Math.abs(value - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)), `${value}, expected ${wanted}`);
    });
  }),
);

t('of next sentences: whether the second follows', () =>
  withModel('bert-nsp', async (model) => {
    const input = { text: 'hello you', textPair: 'the band' };
    const { isNext, notNext } = await predictNextSentence(model, input);
    const { target } = await explain(model, input, { head: 'nextSentence', method: 'gradient-norm' });
    await check(model, input, { head: 'nextSentence' }, Math.max(isNext, notNext));
    assert.ok(target.label.length > 0);
  }),
);

t('of entities: the softmax of the labels at a token', () =>
  withModel('bert-token-classification', async (model) => {
    const text = 'hello the band you';
    const { entities } = await recognizeEntities(model, text, { aggregationStrategy: 'none', ignoreLabels: [] });
    assert.ok(entities.length > 2);
    for (const { index, entity, score } of entities.slice(0, 3))
      await check(model, text, { target: { position: index, label: entity } }, score);
  }),
);

t('is refused above 4,194,304 tokens in all steps, with how many steps there may be', () => {
  requireAffordable(4096, 1024, 'steps');
  assert.throws(
    () => requireAffordable(4096, 1025, 'steps'),
    ({ code, message }: { code: string; message: string }) =>
      code === 'INVALID_OPTION' &&
      /at most 4092 steps for a text of 1025 tokens.*4096[^]*4198400 tokens forward and backward/.test(message),
  );
});

t.run();
