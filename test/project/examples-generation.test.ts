import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { fillMasks, generate, loadModel, pseudoLogLikelihood, summarize, translate, type Model } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('examples of generation');
const root = fileURLToPath(new URL('../..', import.meta.url));
const writer = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'bertha-examples-'));
const file = path.join(folder, 'texts.txt');
const lines = ['Where is the station? It rains.', '', '  She bought bread. '];
t.before(() => writeFileSync(file, `${lines.join('\n')}\n`));
t.after(() => rmSync(folder, { recursive: true }));

const tried = new Set<string>();

/** Runs an example as a user would, against the built package. */
function run(name: string, ...args: readonly string[]): string {
  assert.ok(existsSync(`${root}dist/index.js`), 'dist/ is missing: npm run build');
  const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/generation/${name}`, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal([status, stderr], [0, '']);
  tried.add(name);
  return stdout;
}

async function on<T>(directory: string, work: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(directory);
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}

t('translate-file.mjs writes a line for each line', async () => {
  const marian = writer('marian-separate');
  const options = { split: 'sentences', sourceLanguage: 'en', numBeams: 2 } as const;
  const expected = await on(marian, (model) => translate(model, lines, options));
  assert.is(run('translate-file.mjs', '--model', marian, '--beams', '2', file), expected.map(({ text }) => `${text}\n`).join(''));
});

t('summarize.mjs writes a summary, and how it came', async () => {
  const { text, tokens } = await on(writer('bert2bert-projected'), (model) => summarize(model, `${lines.join('\n')}\n`));
  const output = run('summarize.mjs', '--model', writer('bert2bert-projected'), file);
  assert.ok(output.startsWith(`${text}\n`), output);
  assert.match(output, `, ${tokens} tokens read`);
});

t('stream.mjs writes what generate writes', async () => {
  const options = { doSample: true, topP: 0.9, seed: 7, maxNewTokens: 24 };
  const [expected] = await on(writer('bertgen-lm'), (model) => generate(model, 'The house', options));
  const { text, finishReason, ids } = expected!;
  const output = run('stream.mjs', '--model', writer('bertgen-lm'), 'The house');
  assert.is(output, `The house${text}\n${finishReason} after ${ids.length} tokens\n`);
});

t('masked.mjs fills masks in both ways, and scores two texts', async () => {
  const text = 'The [MASK] [MASK] met [MASK] in Paris.';
  const model = await loadModel(golden('tiny/bert-mlm'));
  const rounds = await fillMasks(model, text, { iterations: 10 });
  const drawn = await fillMasks(model, text, { method: 'gibbs', sweeps: 10, seed: 7, topK: 20 });
  const [right] = await pseudoLogLikelihood(model, ['She has eaten.']);
  model.dispose();
  const output = run('masked.mjs', '--model', golden('tiny/bert-mlm')).split('\n');
  assert.equal(output.slice(0, 2), [`mask-predict: ${rounds.text}`, `gibbs: ${drawn.text}`]);
  assert.ok(output[2]!.startsWith(`${right!.logLikelihood.toFixed(4)} `));
});

t('every example of the folder was tried', () => {
  assert.equal([...tried].sort(), readdirSync(`${root}examples/generation`).sort());
});

t.run();
