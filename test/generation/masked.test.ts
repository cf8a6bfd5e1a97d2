import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { compareFolder } from '../../scripts/golden/compare.js';
import { computeSequences } from '../../src/calls/compute.js';
import { groupsOf } from '../../src/generation/masked/fill.js';
import { uniform } from '../../src/generation/masked/random.js';
import { fillMasks, loadModel, pseudoLogLikelihood, type Model } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('masked generation');
const folder = fileURLToPath(new URL('../golden-generation/masked', import.meta.url));
let model: Model;
t.before(async () => void (model = await loadModel(folder)));
t.after(() => model.dispose());

t('fills masks as the reference does in every round, by mask-predict and by Gibbs sampling', async () => {
  const report = await compareFolder({ kind: 'masked', name: 'masked', path: folder }, { tolerance: 1e-5 });
  assert.is(report.verdict, 'ok', `${report}`);
  assert.is(report.sequences, 17);
});

t('draws the numbers of the reference', () => {
  const file = fileURLToPath(new URL('../golden-generation/random.json', import.meta.url));
  interface Drawn {
    readonly seed: number;
    readonly sequence: number;
    readonly step: number;
    readonly draw: number;
    readonly u: number;
  }
  const { numbers } = JSON.parse(readFileSync(file, 'utf8')) as { numbers: readonly Drawn[] };
  assert.is(numbers.length, 6);
  for (const { seed, sequence, step, draw, u } of numbers) assert.is(uniform(seed, sequence, step, draw), u);
});

t('fills one text as it fills it among others, and says what it wrote', async () => {
  const texts = ['where is the [MASK] [MASK] ?', '[MASK] a [MASK] of bread [MASK] [MASK]', 'the [MASK] dog'];
  for (const options of [
    {},
    { iterations: 1 },
    { method: 'gibbs', sweeps: 3, seed: 5 },
    { method: 'gibbs', seed: 2 ** 53 - 1, topK: 3, temperature: 0.5 },
  ] as const) {
    const all = await fillMasks(model, texts, options);
    for (const [i, text] of texts.entries()) {
      const one = await fillMasks(model, text, options);
      assert.equal(one, all[i]);
      assert.is(one.positions.length, text.split('[MASK]').length - 1);
      assert.is(one.words.length, one.positions.length);
      assert.not.ok(one.ids.includes(model.tokenizer.maskId!));
      assert.ok(one.positions.every((position) => !model.tokenizer.specialTokens.includes(model.tokenizer.idToToken(one.ids[position]!)!)));
      assert.is(one.logProbabilities === undefined, 'method' in options);
    }
  }
  const drawn = await fillMasks(model, texts[1]!, { method: 'gibbs', sweeps: 2 });
  assert.equal(await fillMasks(model, texts[1]!, { method: 'gibbs', sweeps: 2, seed: drawn.seed }), drawn);
});

t('sums the log-probabilities of tokens that are masked one at a time', async () => {
  const text = 'the lazy dog';
  const { logLikelihood, scores } = await pseudoLogLikelihood(model, text);
  const encoding = model.tokenizer.encode(text);
  assert.equal(
    scores.map(({ position }) => position),
    Array.from({ length: encoding.length - 2 }, (_, i) => i + 1),
  );
  let sum = 0;
  for (const { position, logProbability } of scores) {
    const ids = encoding.ids.with(position, model.tokenizer.maskId!);
    const sequence = { ids, typeIds: encoding.typeIds, selected: Int32Array.of(position) };
    const [[row]] = (await computeSequences(model, [sequence], [model.values.heads.maskedLm!.logits])) as [[Float32Array]];
    const expected = row[encoding.ids[position]!]! - Math.log(row.reduce((total, each) => total + Math.exp(each), 0));
    assert.ok(Math.abs(expected - logProbability) < 1e-5, `${expected} ${logProbability}`);
    sum += expected;
  }
  assert.ok(Math.abs(sum - logLikelihood) < 1e-4);
  const [first, second] = await pseudoLogLikelihood(model, [text, '']);
  assert.equal(first, { logLikelihood, scores, tokens: encoding.length, truncated: false });
  assert.equal(second!.scores, []);
});

t('takes long lists in groups whose logits are bounded', () => {
  const texts = [2, 3, 1, 9, 1, 1].map((count) => ({
    ids: new Int32Array(12),
    typeIds: new Int32Array(12),
    masked: Array.from({ length: count }, (_, i) => i),
  }));
  const groups = groupsOf(texts, 10, 50);
  assert.equal(
    groups.map((group) => group.map(({ masked }) => masked.length)),
    [[2, 3], [1], [9], [1, 1]],
  );
  assert.equal(groups.flat(), texts);
  assert.equal(groupsOf([], 10), []);
});

t('refuses texts without masks, options that do not belong together, and other models', async () => {
  const code = async (call: () => Promise<unknown>): Promise<string> => (await rejection(call)).code;
  assert.is(await code(() => fillMasks(model, ['a [MASK]', 'b'])), 'NO_MASK');
  assert.is(await code(() => fillMasks(model, 'a [MASK]', { seed: 3 })), 'INVALID_OPTION');
  assert.is(await code(() => fillMasks(model, 'a [MASK]', { method: 'gibbs', iterations: 3 })), 'INVALID_OPTION');
  assert.is(await code(() => fillMasks(model, 'a [MASK]', { method: 'gibbs', temperature: 0 })), 'INVALID_OPTION');
  assert.is(await code(() => fillMasks(model, 'a [MASK]', { iterations: 0 })), 'INVALID_OPTION');
  const other = await loadModel(golden('tiny', 'bert-relu'));
  assert.is(await code(() => fillMasks(other, 'a [MASK]')), 'NO_HEAD');
  assert.is(await code(() => pseudoLogLikelihood(other, 'a')), 'NO_HEAD');
  other.dispose();
  const aborted = AbortSignal.abort(new Error('enough'));
  await fillMasks(model, 'a [MASK]', { signal: aborted }).then(
    () => assert.unreachable('an aborted call'),
    (error: Error) => assert.is(error.message, 'enough'),
  );
});

t.run();
