import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { metrics } from '../../src/index.js';
import { codeOf } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

interface Bleu {
  readonly score: number;
  readonly precisions: readonly number[];
  readonly bp: number;
  readonly sys_len: number;
  readonly ref_len: number;
  readonly counts: readonly number[];
  readonly totals: readonly number[];
}

interface Case {
  readonly hypotheses: readonly string[];
  readonly references: metrics.References;
  readonly bleu: Bleu;
  readonly bleu_lowercase: Bleu;
  readonly sentence_bleu: readonly number[];
  readonly chrf: number;
  readonly 'chrf++': number;
  readonly chrf_lowercase?: number;
  readonly rouge1?: readonly number[];
  readonly rouge2: readonly number[];
  readonly rougeL: readonly number[];
}

const t = suite('metrics of texts');
const cases = (file: string): readonly Case[] =>
  (JSON.parse(readFileSync(fileURLToPath(new URL(`../golden-generation/${file}`, import.meta.url)), 'utf8')) as { cases: readonly Case[] })
    .cases;

function near(got: number, expected: number, what: string): void {
  assert.ok(Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: ${got}, expected ${expected}`);
}

function nearBleu(got: metrics.BleuScore, expected: Bleu): void {
  near(got.score, expected.score, 'BLEU');
  got.precisions.forEach((precision, n) => near(precision, expected.precisions[n]!, `precision ${n + 1}`));
  near(got.brevityPenalty, expected.bp, 'brevity penalty');
  assert.equal(
    [got.length, got.referenceLength, got.counts, got.totals],
    [expected.sys_len, expected.ref_len, expected.counts, expected.totals],
  );
}

for (const [file, count] of [
  ['metrics.json', 5],
  ['metrics-references.json', 12],
] as const) {
  t(`gives what sacrebleu and rouge-score give for ${file}`, () => {
    const all = cases(file);
    assert.is(all.length, count);
    for (const each of all) {
      const { hypotheses, references } = each;
      nearBleu(metrics.bleu(hypotheses, references), each.bleu);
      nearBleu(metrics.bleu(hypotheses, references, { lowercase: true }), each.bleu_lowercase);
      hypotheses.forEach((text, i) => near(metrics.sentenceBleu(text, references[i]!).score, each.sentence_bleu[i]!, `sentence BLEU ${i}`));
      near(metrics.chrf(hypotheses, references), each.chrf, 'chrF');
      near(metrics.chrf(hypotheses, references, { wordOrder: 2 }), each['chrf++'], 'chrF++');
      if (each.chrf_lowercase !== undefined)
        near(metrics.chrf(hypotheses, references, { wordOrder: 1, lowercase: true }), each.chrf_lowercase, 'chrF in lower case');
      if (each.rouge1 === undefined) continue;
      const rouge = metrics.rouge(hypotheses, references);
      for (const name of ['rouge1', 'rouge2', 'rougeL'] as const) {
        const { precision, recall, f1 } = rouge[name];
        [precision, recall, f1].forEach((value, k) => near(value, each[name]![k]!, `${name} ${k}`));
      }
    }
  });
}

t('counts texts that are exactly right, and refuses lists that do not belong together', () => {
  assert.is(metrics.exactMatch(['a', 'b', ' c', 'd'], ['a', ['x', 'b'], 'c', 'D']), 0.5);
  for (const call of [metrics.bleu, metrics.chrf, metrics.rouge, metrics.exactMatch]) {
    for (const [texts, references] of [
      [[], []],
      [['a'], []],
      [['a'], [[]]],
      [['a'], [1]],
      [[undefined], ['a']],
      ['a', 'a'],
    ] as const) {
      assert.is(
        codeOf(() => call(texts as never, references as never)),
        'INVALID_ARG',
        `${call.name} ${JSON.stringify([texts, references])}`,
      );
    }
  }
  assert.is(
    codeOf(() => metrics.chrf(['a'], ['a'], { wordOrder: -1 })),
    'INVALID_OPTION',
  );
});

t.run();
