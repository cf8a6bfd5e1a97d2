import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { answerQuestion, classifyZeroShot, fillMask, loadModel, recognizeEntities, rerank, type Model } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';

const t = suite('examples of tasks');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs an example as a user would, against the built package, on a tiny model. */
function run(name: string, model?: string): string {
  assert.ok(existsSync(`${root}dist/index.js`), 'dist/ is missing: npm run build');
  const args = model === undefined ? [] : ['--model', golden('tiny', model)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/tasks/${name}`, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal([status, stderr], [0, '']);
  tried.add(name);
  return stdout;
}
const tried = new Set<string>();

async function on<T>(name: string, work: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(golden('tiny', name));
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}

t('masked-capital.mjs finds by hand what fillMask finds', async () => {
  const { masks } = await on('bert-mlm', (model) => fillMask(model, 'The capital of France is [MASK].'));
  assert.is(run('masked-capital.mjs', 'bert-mlm'), `${masks[0]!.candidates[0]!.tokenStr}\n`);
});

t('hidden-state.mjs shows shapes and the numbers that forward gives', async () => {
  const { data, dims } = await on('bert-base-noprefix', async (model) => {
    const { lastHiddenState } = await model.forward(model.tokenizer.encode('Replace me by any text you like.'));
    return lastHiddenState;
  });
  const output = run('hidden-state.mjs', 'bert-base-noprefix');
  assert.match(output, `last_hidden_state [ 1, ${dims.join(', ')} ]`);
  assert.match(output, `first numbers ${Array.from(data.subarray(0, 4), (x) => x.toFixed(4)).join(' ')}`);
});

t('chinese-classifier.mjs trains on [CLS] vectors and prints an accuracy', () => {
  assert.match(run('chinese-classifier.mjs', 'bert-chinese'), /^accuracy [01]\.\d\d on 4 reviews\n$/);
});

t('fill-mask.mjs prints the candidates of both masks and the words it names', async () => {
  const { masks } = await on('bert-mlm', (model) => fillMask(model, 'The [MASK] met Bob in [MASK].', { topK: 3 }));
  const lines = masks.map(({ position, candidates }) => `${position} ${candidates.map(({ tokenStr }) => tokenStr).join(', ')}`);
  const output = run('fill-mask.mjs', 'bert-mlm').split('\n');
  assert.equal(output.slice(0, 2), lines);
  assert.match(output[2]!, /^(good|long) \d\.\d\de-\d$/);
});

t('next-sentence.mjs, classify.mjs and multiple-choice.mjs print scores', () => {
  assert.match(run('next-sentence.mjs', 'bert-nsp'), /^0\.\d{3} Then they ran.*\n0\.\d{3} Water boils/);
  assert.match(run('classify.mjs', 'bert-nli'), /^(\w+ 0\.\d{3}\n){2}$/);
  assert.match(run('multiple-choice.mjs', 'bert-multiple-choice'), /^0\.\d{3} [A-Z]/);
});

t('zero-shot.mjs sorts the labels', async () => {
  const sentence = 'The team won the cup in the last minute.';
  const { labels } = await on('bert-nli', (model) => classifyZeroShot(model, sentence, ['sports', 'politics', 'cooking']));
  const printed = run('zero-shot.mjs', 'bert-nli').trimEnd().split('\n');
  assert.equal(
    printed.map((line) => line.split(' ')[1]),
    [...labels],
  );
});

t('entities.mjs prints places that hold the entities', async () => {
  const text = 'Alice met Bob in Amsterdam 😀, where they both worked for Acme Corporation. '.repeat(12);
  const { entities } = await on('bert-token-classification', (model) =>
    recognizeEntities(model, text, { aggregationStrategy: 'first', stride: 16 }),
  );
  const printed = run('entities.mjs', 'bert-token-classification').split('\n');
  assert.is(printed[0], `${entities.length} entities in 4 windows`);
  const [first] = entities;
  assert.is(printed[1], `${first!.entityGroup} ${first!.start} ${first!.end} ${text.slice(first!.start, first!.end)}`);
});

t('answer.mjs prints slices of a long text', async () => {
  const context = `${'The museum opens at nine. '.repeat(40)}Alice met Bob in Amsterdam. ${'It closes at half past five. '.repeat(40)}`;
  const { answers } = await on('bert-question-answering', (model) => answerQuestion(model, { question: 'Who met Bob?', context }));
  const printed = run('answer.mjs', 'bert-question-answering');
  assert.match(printed, `${answers[0]!.start} ${answers[0]!.end} true ${answers[0]!.answer}`);
  assert.not.match(printed, 'false');
});

t('replaced-tokens.mjs prints every token', () => {
  assert.match(run('replaced-tokens.mjs', 'electra-discriminator'), /^([01]\.\d{3} \S+\n){9,}$/);
});

t('rerank.mjs sorts the documents', async () => {
  const documents = ['Paris is the capital of France.', 'Water boils at 100 degrees.', 'Berlin is the capital of Germany.'];
  const ranked = await on('bert-cross-encoder', (model) => rerank(model, 'What is the capital of Germany?', documents));
  const printed = run('rerank.mjs', 'bert-cross-encoder').trimEnd().split('\n');
  assert.equal(
    printed.map((line) => line.slice(7)),
    ranked.map(({ index }) => documents[index]),
  );
});

t('semantic-search.mjs and features.mjs run on the bundled model', () => {
  assert.match(run('semantic-search.mjs'), /^0\.\d+ \d+ \d+ .*Forgotten passwords are reset/);
  assert.match(run('features.mjs'), /^\[ 2, 384 \].*\n0\.665 0\.085\n/);
});

t('communities.mjs runs on the bundled model', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [`${root}examples/vectors/communities.mjs`], { encoding: 'utf8' });
  assert.match(stdout, /^.*password.* \| .*password.*\n.*parcel.* \| .*parcel.*\n0\.\d\d: .* ~ .*\nCan I pay by card\?\n$/, stderr);
});

t('leaves no example of a task untried', () => assert.equal(readdirSync(`${root}examples/tasks`).sort(), [...tried].sort()));

t.run();
