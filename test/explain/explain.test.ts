import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import {
  attention,
  attentionRollout,
  checkExplanation,
  explain,
  explainErrors,
  explainSimilarity,
  explainWindows,
  logitLens,
  mapTexts,
  probeLayers,
  type ExplainedWindow,
  type Explanation,
} from '../../src/explain/index.js';
import { loadEmbedder, loadModel, loadTokenizer, type BerthaError, type Model } from '../../src/index.js';
import { suite } from '../support/suite.js';

const t = suite('explain');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-explain/${name}`, import.meta.url));
let classifier: Model;
let masked: Model;
let questions: Model;
t.before(async () => {
  classifier = await loadModel(folder('planted'));
  masked = await loadModel(folder('tiny/bert-mlm'));
  questions = await loadModel(folder('tiny/bert-question-answering'));
});
t.after(() => [classifier, masked, questions].forEach((model) => model.dispose()));

const planted = 'gos ros duk zorn rim tos mos rim mab guk';
const sum = (values: readonly { readonly value?: number }[]): number => values.reduce((all, { value = 0 }) => all + value, 0);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: BerthaError) => `${error.code}: ${error.message}`,
  );
}

t('names the word that the answer hangs on, by default with integrated gradients that add up', async () => {
  const why = await explain(classifier, planted);
  assert.equal([why.method, why.baseline, why.target.head, why.converged], ['integrated-gradients', 'pad', 'sequenceClassification', true]);
  assert.is(why.attributions.toSorted((a, b) => b.value - a.value)[0]!.text, 'zorn');
  assert.ok(Math.abs(why.delta) <= 0.01 * Math.abs(why.score - why.baselineScore));
  assert.ok(Math.abs(sum(why.attributions) - (why.score - why.baselineScore) - why.delta) < 1e-9);
});

t('has the same bits for any number of threads, alone or while other texts are explained', async () => {
  const alone = await explain(classifier, planted, { steps: 16 });
  for (const threads of [1, 2, 3]) {
    const model = await loadModel(folder('planted'), { threads });
    const [first] = await Promise.all([explain(model, planted, { steps: 16 }), explain(model, 'luk tos pos nel', { steps: 8 })]);
    assert.equal(first.tokens, alone.tokens, `${threads} threads`);
    model.dispose();
  }
});

t('subtracts another label, and attributes by tokens, words, segments and sentences', async () => {
  const both = await explain(classifier, planted, { target: { label: 1, versus: 0 }, steps: 32 });
  const one = await explain(classifier, planted, { target: { label: 1 }, steps: 32 });
  const other = await explain(classifier, planted, { target: { label: 0 }, steps: 32 });
  assert.ok(Math.abs(both.score - (one.score - other.score)) < 1e-4);
  both.tokens.forEach(({ value = 0 }, i) => assert.ok(Math.abs(value - (one.tokens[i]!.value! - other.tokens[i]!.value!)) < 1e-4));
  for (const units of ['tokens', 'words', 'segments', 'sentences'] as const) {
    const { attributions } = await explain(classifier, planted, { units, method: 'occlusion' });
    assert.is(attributions.length, units === 'sentences' ? 1 : 10, units);
  }
});

t('explains probabilities and their logarithms: the gradients are the softmax of the logits’', async () => {
  const options = { method: 'gradient-x-input', baseline: 'zero', units: 'tokens' } as const;
  const logits: Explanation[] = [];
  for (const label of [0, 1, 2]) logits.push(await explain(classifier, planted, { ...options, target: { label } }));
  const exps = logits.map(({ score }) => Math.exp(score));
  const shares = exps.map((exp) => exp / exps.reduce((all, each) => all + each, 0));
  const target = { label: 0 };
  const log = await explain(classifier, planted, { ...options, target, output: 'log-probability' });
  const share = await explain(classifier, planted, { ...options, target, output: 'probability' });
  assert.ok(Math.abs(log.score - Math.log(shares[0]!)) < 1e-5 && Math.abs(share.score - shares[0]!) < 1e-6);
  log.attributions.forEach(({ value }, i) => {
    const wanted = logits.reduce((sum, each, k) => sum + ((k === 0 ? 1 : 0) - shares[k]!) * each.attributions[i]!.value, 0);
    assert.ok(Math.abs(value - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)), `${value}, expected ${wanted}`);
    assert.ok(Math.abs(share.attributions[i]!.value - shares[0]! * wanted) < 1e-4 * Math.max(1, Math.abs(wanted)));
  });
  const electra = await loadModel(folder('tiny/electra-discriminator'));
  const cases = [
    [classifier, planted],
    [masked, 'Water [MASK] at 100 degrees.'],
    [questions, { question: 'Who sat?', context: 'A cat sat on the mat.' }],
    [electra, 'A cat sat on the mat.'],
  ] as const;
  for (const [model, input] of cases) {
    for (const output of ['probability', 'log-probability'] as const) {
      const { score, baselineScore, delta, target: own } = await explain(model, input, { output, steps: 128 });
      assert.ok(output === 'probability' ? score > 0 && score <= 1 : score < 0, `${own.head} ${output} ${score}`);
      assert.ok(Math.abs(delta) <= 0.01 * Math.abs(score - baselineScore) + 1e-5, `${own.head} ${output}: ${delta}`);
      const { score: same } = await explain(model, input, { output, method: 'leave-one-out' });
      assert.ok(Math.abs(same - score) < 1e-5);
    }
  }
  electra.dispose();
  const regression = Object.assign(Object.create(classifier) as Model, { config: { ...classifier.config, problemType: 'regression' } });
  assert.match(await codeOf(explain(regression, planted, { output: 'probability' })), /^INVALID_OPTION: .*regression/);
});

t('adds Shapley values of many units up to the difference, with standard errors, the same for the same seed', async () => {
  const one = await explain(classifier, planted, { method: 'shapley', pairs: 3, seed: 7 });
  const again = await explain(classifier, planted, { method: 'shapley', pairs: 3, seed: 7 });
  assert.equal(one, again);
  assert.ok(Math.abs(one.delta) < 1e-5);
  assert.ok(one.attributions.every(({ error }) => error! >= 0));
});

t('measures faithfulness beside words drawn at random', async () => {
  const { faithfulness, score, baselineScore } = await explain(classifier, planted, { faithfulness: true, steps: 16 });
  const { comprehensiveness, sufficiency, random } = faithfulness!;
  assert.ok(comprehensiveness[0]! > 0.5 * (score - baselineScore) && comprehensiveness[0]! > 2 * random.comprehensiveness[0]!);
  assert.ok(sufficiency[0]! < 0.5 * random.sufficiency[0]!);
});

t('explains masks, answers and the similarity of two texts', async () => {
  const mask = await explain(masked, 'Water [MASK] at 100 degrees.', { steps: 64 });
  assert.equal([mask.target.head, mask.target.position], ['maskedLm', 2]);
  const answer = await explain(questions, { question: 'Who sat?', context: 'A cat sat on the mat.' }, { steps: 32 });
  assert.is(answer.target.head, 'questionAnswering');
  assert.match(answer.textPair!, answer.target.label);
  const embedder = await loadEmbedder(folder('tiny/sentence-mean'));
  const two = await explainSimilarity(embedder, 'A cat sits on the mat.', 'A kitten rests on a rug.', { steps: 64 });
  assert.ok(two.additive && Math.abs(two.map.data.reduce((all, value) => all + value, 0) - two.cosine) < 1e-5);
  assert.ok(Math.abs(two.a.score - two.cosine) < 1e-5 && Math.abs(two.b.score - two.cosine) < 1e-5);
  const same = await explainSimilarity(embedder, 'A cat', 'A cat', { method: 'occlusion' });
  assert.ok(Math.abs(same.cosine - 1) < 1e-6);
  assert.match(await codeOf(explain(embedder as unknown as Model, 'A cat')), /^INVALID_ARG: .*explainSimilarity/);
  assert.match(
    await codeOf(explain(embedder.model, 'A cat')),
    /^NO_HEAD: .*no head at all\. .*explainSimilarity \(bertha explain similarity/,
  );
  embedder.dispose();
});

t('returns attention by layer and head, and refuses what is too large, with the bytes', async () => {
  const whole = await attention(classifier, planted, { hiddenStates: true });
  const part = await attention(classifier, planted, { layers: [1], heads: [1] });
  const square = whole.tokens.length ** 2;
  assert.equal(part.weights[0]!.data, whole.weights[1]!.data.slice(square, 2 * square));
  assert.is(whole.hiddenStates!.length, classifier.values.hiddenStates.length);
  assert.equal(attentionRollout(whole).dims, [whole.tokens.length, whole.tokens.length]);
  assert.match(await codeOf(attention(classifier, planted, { layers: [9] })), /^INVALID_OPTION: .*layers.* received 9/);
  assert.match(await codeOf(attention(classifier, planted, { heads: [] })), /^INVALID_OPTION/);
  assert.throws(() => attentionRollout(part), /all layers/);
  const wide = Object.assign(Object.create(classifier) as Model, { config: { ...classifier.config, numHeads: 2 ** 24 } });
  const bytes = 4 * square * 2 ** 24;
  const refusal = new RegExp(`^INPUT_TOO_LARGE: .* 1 layers of ${whole.tokens.length} tokens, which take ${bytes}\\. Set maxLength`);
  assert.match(await codeOf(attention(wide, planted, { layers: [0], heads: [0] })), refusal);
});

t('weighs attention by what the heads hand on, and refuses 8,192 tokens with the bytes before anything is computed', async () => {
  const [seen, norms] = [await attention(classifier, planted), await attention(classifier, planted, { weights: 'norm' })];
  assert.equal([seen.kind, norms.kind], ['probability', 'norm']);
  const count = seen.tokens.length;
  for (const [layer, { data }] of norms.weights.entries()) {
    const probabilities = seen.weights[layer]!.data;
    // A head multiplies all that a token gets by the same length, whoever reads it.
    for (let at = count; at < data.length; at++) {
      const above = at % count ** 2 < count ? at + count : at - count;
      assert.ok(Math.abs(data[at]! * probabilities[above]! - data[above]! * probabilities[at]!) < 1e-6, `layer ${layer}, ${at}`);
    }
  }
  const part = await attention(classifier, planted, { weights: 'norm', layers: [1], heads: [1] });
  assert.equal(part.weights[0]!.data, norms.weights[1]!.data.slice(count ** 2, 2 * count ** 2));
  const unlimited = mkdtempSync(join(tmpdir(), 'bertha-explain-'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt']) {
    copyFileSync(join(folder('planted'), file), join(unlimited, file));
  }
  const tokenizer = await loadTokenizer(unlimited);
  rmSync(unlimited, { recursive: true });
  const config = { ...classifier.config, numHeads: 12, maxSequenceLength: 8192 };
  const long = Object.assign(Object.create(classifier) as Model, { tokenizer, maxTokens: 8192, config });
  const refusal = /^INPUT_TOO_LARGE: .* at most 268435456 bytes .* 1 layers of 8192 tokens, which take 3221225472\. Set maxLength/;
  assert.match(await codeOf(attention(long, 'zorn '.repeat(9000), { layers: [0], maxLength: 8192 })), refusal);
  const some = /^INPUT_TOO_LARGE: .* 30 layers of 1024 tokens, which take 1509949440\. Ask for at most 5 layers/;
  assert.match(await codeOf(attention(long, 'zorn '.repeat(9000), { layers: Array<number>(30).fill(0), maxLength: 1024 })), some);
});

t('tells progress, stops on abort before and while it computes', async () => {
  const heard: number[] = [];
  await explain(classifier, planted, { steps: 32, onProgress: ({ done, total }) => heard.push(done / total) });
  assert.is(heard.at(-1), 1);
  assert.ok(heard.every((share, i) => i === 0 || share >= heard[i - 1]!));
  const stop = new AbortController();
  const running = explain(classifier, planted, { steps: 4096, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
  await running.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  );
  assert.is(await codeOf(explain(classifier, planted, { signal: AbortSignal.abort(new Error('late')) })), 'undefined: late');
  assert.ok((await explain(classifier, planted, { steps: 16 })).score > 0, 'the engine still works');
});

t('refuses what cannot be explained', async () => {
  const cases: Readonly<Record<string, readonly [() => Promise<unknown>, RegExp]>> = {
    'steps 0': [() => explain(classifier, planted, { steps: 0 }), /^INVALID_OPTION: .*2 to 4096/],
    'steps 1': [() => explain(classifier, planted, { steps: 1 }), /^INVALID_OPTION/],
    'unknown output': [() => explain(classifier, planted, { output: 'odds' as never }), /^INVALID_OPTION: .*"probability"/],
    'more than 4 M tokens': [
      () => explain(classifier, planted.repeat(3), { method: 'shapley', pairs: 4096 }),
      /^INVALID_OPTION: .*at most \d+ forwards for a text of \d+ tokens/,
    ],
    'pairs 0': [() => explain(classifier, planted, { pairs: 0 }), /^INVALID_OPTION/],
    'unknown option': [() => explain(classifier, planted, { step: 3 } as never), /^INVALID_OPTION: .*Did you mean "steps"/],
    'unknown label': [() => explain(classifier, planted, { target: 'HAPPY' }), /^INVALID_LABEL: .*LABEL_0.*HAPPY/],
    'label index': [() => explain(classifier, planted, { target: { label: 3 } }), /^INVALID_LABEL/],
    'unknown key': [() => explain(classifier, planted, { target: { lable: 'a' } as never }), /^INVALID_ARG/],
    'foreign part': [() => explain(classifier, planted, { target: { start: 0, end: 1 } }), /^INVALID_ARG: .*"label"/],
    'no such head': [() => explain(classifier, planted, { head: 'maskedLm' }), /^NO_HEAD/],
    'no answers head': [() => explain(classifier, { question: 'a', context: 'b' }), /^NO_HEAD/],
    'unknown baseline': [() => explain(classifier, planted, { baseline: 'none' as never }), /^INVALID_OPTION: .*"pad"/],
    'baseline of another length': [() => explain(classifier, planted, { baseline: [0, 0] as never }), /^INVALID_OPTION/],
    'baseline token': [() => explain(classifier, planted, { baseline: { token: 'nosuch' } }), /^INVALID_OPTION/],
    'no mask': [() => explain(masked, 'Water boils.'), /^NO_MASK/],
    'no mask for the lens': [() => logitLens(masked, 'Water boils.'), /^NO_MASK/],
    'no head for the lens': [() => logitLens(classifier, planted), /^NO_HEAD/],
    'position of [CLS]': [() => explain(masked, 'Water [MASK].', { target: { position: 0 } }), /^INVALID_ARG: .*\[CLS\]/],
    'position beyond': [() => explain(masked, 'Water [MASK].', { target: { position: 99 } }), /^INVALID_ARG/],
    'no text': [() => explain(classifier, 7 as never), /^INVALID_ARG/],
    'half an answer': [() => explain(questions, { question: 'a', context: 'b' }, { target: { start: 1 } }), /^INVALID_ARG/],
    'an answer outside': [() => explain(questions, { question: 'a', context: 'b' }, { target: { start: 5, end: 9 } }), /^INVALID_ARG/],
    'an impatient call': [() => explain(classifier, planted, { deadlineMs: 0 }), /^DEADLINE/],
    'one point': [() => mapTexts([[1, 2]], ['a']), /^INVALID_ARG/],
    'not finite': [() => mapTexts([[1], [NaN]], ['a', 'b']), /^INVALID_ARG: .*index 1/],
    'clusters and labels': [() => mapTexts([[1], [2]], ['a', 'b'], { clusters: 2, labels: ['x', 'y'] }), /^INVALID_OPTION/],
    'one class': [() => probeLayers(classifier, ['gos', 'ros'], ['a', 'a']), /^INVALID_ARG: .*two or more classes/],
    'a class with one text': [() => probeLayers(classifier, ['gos', 'ros', 'duk'], ['a', 'a', 'b']), /^INVALID_ARG: .*one of b/],
    'labels of another number': [() => probeLayers(classifier, ['gos', 'ros'], ['a']), /^INVALID_ARG/],
  };
  for (const [name, [call, wanted]] of Object.entries(cases)) assert.match(await codeOf(call()), wanted, name);
});

t('says what there is nothing to explain of', async () => {
  const empty = await explain(classifier, '');
  assert.equal([empty.attributions.length, empty.warnings.length, empty.delta], [0, 1, 0]);
  const padding = await explain(classifier, '[PAD] [PAD]', { splitSpecialTokens: false });
  assert.ok(padding.attributions.every(({ value }) => Math.abs(value) < 1e-6));
  assert.match(padding.warnings[0]!, /nothing to explain/);
  const one = await explain(classifier, 'zorn', { steps: 64 });
  assert.ok(Math.abs(one.attributions[0]!.value - (one.score - one.baselineScore)) < 0.02 * Math.abs(one.score));
});

t('takes texts of any characters as they are, and says where a long one was cut', async () => {
  const hostile = '</script><b onclick=x>zorn</b> ]]> \u2028 \ud800 \0 \u202e gos';
  const seen = await explain(classifier, hostile, { method: 'occlusion' });
  assert.is(seen.text, hostile);
  for (const { text, start, end } of seen.attributions) assert.is(hostile.slice(start, end), text);
  const long = await explain(classifier, 'zorn '.repeat(600), { steps: 16, units: 'sentences' });
  assert.equal([long.truncated, long.tokens.length], [true, classifier.maxTokens]);
  assert.match(long.warnings.join(' '), /was not read/);
});

t('explains a long text window by window, between words, and says what is not read without', async () => {
  const words = Array.from({ length: 90 }, (_, i) => (i === 20 ? 'zorn' : i === 70 ? 'quib' : ['gos', 'rosmos', 'duk'][i % 3]!));
  const text = words.join(' ');
  const seen = new Set<number>();
  const windows: ExplainedWindow[] = [];
  for await (const window of explainWindows(classifier, text, { stride: 6, method: 'occlusion' })) {
    windows.push(window);
    assert.ok(window.tokens.length <= classifier.maxTokens && !window.truncated);
    for (const { text: word, start, end } of window.attributions) {
      assert.is(text.slice(start, end), word);
      if (words.includes(word)) seen.add(start);
    }
    for (const { token, start, end, special } of window.tokens) if (!special) assert.ok([text.slice(start, end), '[UNK]'].includes(token));
  }
  assert.is(seen.size, words.length);
  assert.equal([windows[0]!.start, windows.at(-1)!.end, windows.length], [0, text.length, windows[0]!.windows]);
  assert.ok(windows.every(({ start }, i) => i === 0 || start < windows[i - 1]!.end));
  const labelsAt = (at: number) => windows.filter(({ start, end }) => start <= at && at < end).map(({ target }) => target.label);
  assert.ok(labelsAt(text.indexOf('zorn')).every((label) => label === 'LABEL_1'));
  assert.ok(labelsAt(text.indexOf('quib')).every((label) => label === 'LABEL_2'));
  const cut = await explain(classifier, text, { method: 'occlusion' });
  assert.equal(cut.unread, [{ sequence: 0, start: cut.tokens.at(-2)!.end, end: text.length }]);
  assert.match(cut.warnings[0]!, new RegExp(`not read, ${text.length - cut.tokens.at(-2)!.end} characters: only 32 tokens`));
  const first = async (stride: number) => explainWindows(classifier, text, { stride }).next();
  assert.match(await codeOf(first(40)), /^INVALID_OPTION: .*stride below 30/);
  const one = await explainWindows(classifier, 'zorn', { steps: 16 }).next();
  assert.equal([one.value!.start, one.value!.end, one.value!.windows], [0, 4, 1]);
});

t('maps texts that are alike on one point, and draws a sample of many', async () => {
  const equal = await mapTexts(
    [
      [1, 2],
      [1, 2],
      [1, 2],
    ],
    ['a b', 'a b', 'a b'],
    { clusters: 1 },
  );
  assert.equal(
    [equal.points.map(({ x, y }) => [x, y]), equal.explainedVarianceRatio],
    [
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      [0, 0],
    ],
  );
  const rows = Array.from({ length: 50 }, (_, i) => [i % 7, i % 3, i]);
  const drawn = await mapTexts(rows, rows.map(String), { maxPoints: 20, clusters: 3 });
  assert.equal([drawn.points.length, drawn.total, drawn.groups.length], [20, 50, 3]);
  assert.match(drawn.warnings[0]!, /20 of 50/);
});

t('probes words by their first pieces, split by text', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? ['gos', 'zorn'] : ['zorn', 'gos', 'ros']));
  const labels = texts.map((words) => words.map((word) => (word === 'zorn' ? 'key' : 'other')));
  const { layers, majority, testRows } = await probeLayers(classifier, texts, labels, { testSize: 4, seed: 3 });
  assert.is(layers[0]!.accuracy, 1);
  assert.ok(majority < 1 && testRows >= 8 && testRows <= 12);
});

t('shows that attributions depend on what was learned: random layers give others', async () => {
  const texts = [planted, 'luk tos pos nel fim cel fab cab lab nos dim quib', 'zorn gos ros duk rim tos', 'mos rim mab guk quib luk pos'];
  let sum = 0;
  for (const text of texts) sum += Math.abs((await checkExplanation(classifier, text)).correlation);
  assert.ok(sum / texts.length < 0.5, `${sum / texts.length}`);
  const once = await checkExplanation(classifier, planted, { seed: 5 });
  assert.equal(once, await checkExplanation(classifier, planted, { seed: 5 }));
  assert.not.equal(once.randomValues, (await checkExplanation(classifier, planted, { seed: 6 })).randomValues);
  const { attributions } = await explain(classifier, planted, { steps: 32 });
  assert.equal(
    once.values,
    attributions.map(({ value }) => value),
  );
  assert.match(await codeOf(checkExplanation(classifier, 'zorn')), /^INVALID_ARG: .*3 words/);
});

t('says what a classifier gets wrong, and which words led it there', async () => {
  const texts = ['gos zorn', 'ros quib', 'duk rim', 'tos zorn mos', 'mab guk zorn'];
  const labels = ['LABEL_1', 'LABEL_2', 'LABEL_0', 'LABEL_0', 'LABEL_1'];
  const found = await explainErrors(classifier, texts, labels, { worst: 2 });
  assert.is(found.accuracy, 0.8);
  assert.equal(found.confusion, [
    [1, 1, 0],
    [0, 2, 0],
    [0, 0, 1],
  ]);
  assert.equal(
    found.worst.map(({ texts: own }) => own.map(({ index }) => index)),
    [[3], [], []],
  );
  assert.is(found.words[0]!.word, 'zorn');
  assert.is(found.texts[3]!.attribution!.text, 'tos zorn mos');
  assert.is(
    found.lengths.reduce((sum, { texts: count }) => sum + count, 0),
    5,
  );
  assert.match(await codeOf(explainErrors(classifier, texts, ['a', 'b', 'c', 'd', 'e'])), /^INVALID_LABEL: .*a at index 0/);
  assert.match(await codeOf(explainErrors(classifier, texts, ['LABEL_0'])), /^INVALID_ARG/);
});

t.run();
