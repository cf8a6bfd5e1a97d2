import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';

const t = suite('examples');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs an example as a user would, against the built package. */
function run(name: string, ...args: string[]): string {
  assert.ok(existsSync(`${root}dist/index.js`), 'dist/ is missing: npm run build');
  const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/${name}`, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal([status, stderr], [0, '']);
  return stdout;
}

const kSimilarities = /^0\.[4-9]\d\d -?0\.[01]\d\d\n$/;

t('embed.mjs finds the cat near the kitten', () => assert.match(run('embed.mjs'), kSimilarities));

t('embed.cjs gives the same through require', () => assert.is(run('embed.cjs'), run('embed.mjs')));

t('search.mjs puts the sentence that answers first', () => {
  assert.match(run('search.mjs'), /^0\.\d+ Click on "Forgot password"/);
  assert.match(run('search.mjs', 'When will my package arrive?'), /^0\.\d+ Parcels are delivered/);
});

t('hidden-states.mjs shows shapes and attention', () => {
  const output = run('hidden-states.mjs');
  assert.match(output, 'tokens [CLS] the bank of the river . [SEP]');
  assert.match(output, 'last hidden state [ 8, 384 ]');
  assert.match(output, /"bank" looks most at "\S+"/);
});

t('tokens.mjs cuts the text where its tokens are', () => {
  const output = run('tokens.mjs');
  assert.match(output, /uber +"Über"/);
  assert.match(output, 'sell well');
});

t('the handler for Lambda answers a call and names what is wrong with one', () => {
  const program = `const { handler } = await import('./examples/lambda/handler.mjs');
    const { vectors } = await handler({ body: '{"texts": ["One text."]}' }, {});
    const { statusCode, body } = await handler({ texts: [7] }, { getRemainingTimeInMillis: () => 5000 });
    console.log(vectors.length, vectors[0].length, statusCode, JSON.parse(body).error);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' });
  assert.equal([stdout, stderr], ['1 384 422 INVALID_ARG\n', '']);
});

t('the README shows embed.mjs as it is', () => {
  assert.ok(readFileSync(`${root}README.md`, 'utf8').includes(readFileSync(`${root}examples/embed.mjs`, 'utf8')));
});

t.run();
