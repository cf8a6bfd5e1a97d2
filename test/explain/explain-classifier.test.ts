import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { Golden, type Case } from '../../scripts/golden-explain/read.js';
import { explain } from '../../src/explain/index.js';
import { loadEmbedder, type BerthaError, type Embedder } from '../../src/index.js';
import { LogisticRegression, trainTextClassifier } from '../../src/learn/index.js';
import { TextClassifier } from '../../src/learn/text-classifier/text-classifier.js';
import { TextFeatures } from '../../src/learn/text-classifier/text-features.js';
import { suite } from '../support/suite.js';

const t = suite('explain text classifiers');
const golden = new Golden(fileURLToPath(new URL('../golden-explain/tiny/sentence-mean', import.meta.url)));
let embedder: Embedder;
t.before(async () => void (embedder = await loadEmbedder(golden.directory)));
t.after(() => embedder.dispose());

const texts = [
  'a warm soup of leek',
  'bread and a cold soup',
  'a soup with bread',
  'the train to the coast',
  'a late train',
  'tickets for the train',
];
const kinds = ['food', 'food', 'food', 'travel', 'travel', 'travel'];

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: BerthaError) => `${error.code}: ${error.message}`,
  );
}

t('goes on through the embedder: the decision of the golden data, as PyTorch in float64', async () => {
  const { cases } = golden.json<{ readonly cases: readonly Case[] }>('cases.json');
  const { text, target, score, id } = cases.find(({ target: each }) => each.kind === 'decision')!;
  assert.ok(target.kind === 'decision');
  const coef = [Float64Array.from(target.coef)];
  const fitted = { classes: ['no', 'yes'], coef, intercept: Float64Array.of(target.intercept), nIter: 1, converged: true };
  const parts = {
    model: LogisticRegression.from(fitted),
    features: new TextFeatures(embedder, undefined),
    temperature: 1,
    ownsEmbedder: false,
  };
  const classifier = new TextClassifier(parts);
  const why = await explain(classifier, text, { target: 'yes', steps: 64, units: 'tokens' });
  assert.ok(Math.abs(why.score - score) < 1e-5);
  const expected = (await golden.tensors('expected.safetensors')).get(`integrated.pad.gausslegendre.64.${id}`)!.data;
  why.tokens.forEach(({ value = 0 }, i) =>
    assert.ok(Math.abs(value - expected[i]!) < 1e-4, `token ${i}: ${value}, expected ${expected[i]}`),
  );
  const against = await explain(classifier, text, { target: { label: 'no' }, steps: 64, units: 'tokens' });
  assert.ok(Math.abs(against.score + why.score) < 1e-5 && against.features.length === 0);
});

t('lists the words beside the vector, exactly, and explains the calibrated probability', async () => {
  const classifier = await trainTextClassifier(embedder, texts, kinds, { testSize: 0 });
  const text = 'a cold soup on the train';
  const [row] = await classifier.predictProba([text]);
  const why = await explain(classifier, text, { target: { label: 'food' }, steps: 64 });
  const { coef, intercept } = classifier.model;
  const vector = (await embedder.embed(text)).vector;
  const ofVector = vector.reduce((sum, value, i) => sum - value * coef[0]![i]!, 0);
  const ofWords = why.features.reduce((sum, { value }) => sum + value, 0);
  assert.ok(Math.abs(why.score - (ofVector + ofWords - intercept[0]!)) < 1e-5);
  assert.is(why.intercept, -intercept[0]!);
  assert.equal(
    [...why.features.map(({ feature }) => feature)].sort(),
    ['cold', 'on', 'soup', 'the', 'train'].filter((word) => classifier.vectorizer!.getFeatureNamesOut().includes(word)),
  );
  const place = vector.length + classifier.vectorizer!.getFeatureNamesOut().indexOf('train');
  const train = why.features.find(({ feature }) => feature === 'train')!;
  assert.equal([train.coefficient, train.value], [-coef[0]![place]!, -coef[0]![place]! * train.weight]);
  assert.ok(Math.abs(why.delta) < 1e-2 * Math.abs(why.score - why.baselineScore) + 1e-5);
  const share = await explain(classifier, text, { target: { label: 'food' }, output: 'probability', steps: 64 });
  assert.ok(Math.abs(share.score - row![0]!) < 1e-6 && Math.abs(share.delta) < 1e-4);
  assert.is((await explain(classifier, text, { steps: 16 })).target.label, (await classifier.predict([text]))[0]);
  assert.match(await codeOf(explain(classifier, text, { target: 'drinks' })), /^INVALID_LABEL: .*"food", "travel".*"drinks"/);
  assert.match(await codeOf(explain(classifier, text, { target: { entity: 1 } })), /^INVALID_ARG: .*"entity"/);
  assert.match(await codeOf(explain(classifier, text, { head: 'maskedLm' } as never)), /^INVALID_OPTION/);
  assert.match(await codeOf(explain(classifier, 7 as never)), /^INVALID_ARG/);
});

t('explains words alone, and of three classes one against another', async () => {
  const classifier = await trainTextClassifier({
    texts: [...texts, 'a long rain', 'rain and wind', 'wind again'],
    labels: [...kinds, 'weather', 'weather', 'weather'],
    features: 'tfidf',
    testSize: 0,
  });
  const why = await explain(classifier, 'rain on the train', { target: { label: 'weather', versus: 'travel' } });
  const [row] = await classifier.model.decisionFunction(await classifier.vectorizer!.transform(['rain on the train']));
  assert.ok(Math.abs(why.score - (row![2]! - row![1]!)) < 1e-12);
  assert.ok(Math.abs(why.features.reduce((sum, { value }) => sum + value, why.intercept) - why.score) < 1e-12);
  assert.equal([why.attributions.length, why.target.versus, why.model], [0, 'travel', undefined]);
  assert.is(why.features.toSorted((a, b) => b.value - a.value)[0]!.feature, 'rain');
  const share = await explain(classifier, 'rain on the train', { output: 'probability' });
  const [proba] = await classifier.predictProba(['rain on the train']);
  assert.ok(Math.abs(share.score - Math.max(...proba!)) < 1e-12);
});

t.run();
