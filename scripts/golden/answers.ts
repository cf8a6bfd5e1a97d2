import type { Model } from '../../src/models/index.js';
import { answerQuestion } from '../../src/tasks/answer-question.js';
import { classifyText } from '../../src/tasks/classify.js';
import type { AggregationStrategy, Entity } from '../../src/tasks/spans/entities.js';
import { fillMask, type MaskCandidate } from '../../src/tasks/fill-mask.js';
import { multipleChoice, predictNextSentence } from '../../src/tasks/pairs.js';
import { recognizeEntities } from '../../src/tasks/recognize-entities.js';
import { detectReplacedTokens } from '../../src/tasks/replaced-tokens.js';
import { rerank } from '../../src/tasks/rerank.js';
import type { TinyCase, TinyCases } from './files.js';
import type { Report } from './report.js';
import { codePointCounts } from './tokens.js';

/** Compares the decoded answers of one task: labels, ids, spans and orders must be equal, scores within the tolerance. */
export type AnswerComparer = (model: Model, golden: TinyCases, report: Report) => Promise<void>;

/** By the `task` of cases.json. */
export const answerComparers: Readonly<Record<string, AnswerComparer>> = {
  'fill-mask': compareMasks,
  pretraining: async (model, golden, report) => {
    await compareMasks(model, golden, report);
    await comparePretrainedPairs(model, golden, report);
  },
  'next-sentence': compareNextSentence,
  'text-classification': async (model, golden, report) => {
    await compareLabels(model, golden, report);
    await compareRanking(model, golden, report);
  },
  'token-classification': compareEntities,
  'question-answering': compareAnswers,
  'multiple-choice': compareChoices,
  'replaced-token': compareReplaced,
};

function compareScore(report: Report, name: string, actual: number | undefined, expected: number): void {
  const difference = Math.abs((actual ?? NaN) - expected) / Math.max(1, Math.abs(expected));
  if (difference <= report.tolerance) report.largest = Math.max(report.largest, difference);
  else report.failures.push(`${name}: expected ${expected} but received ${actual}`);
}

const inputOf = ({ text, text_pair: textPair }: TinyCase) => (textPair === undefined ? { text } : { text, textPair });

async function compareMasks(model: Model, golden: TinyCases, report: Report): Promise<void> {
  interface Masked extends TinyCase {
    readonly masks: readonly { position: number; ids: readonly number[]; log_probs: readonly number[] }[];
  }
  for (const each of golden.cases as readonly Masked[]) {
    if (each.masks.length === 0) continue;
    report.answers++;
    const topK = each.masks[0]!.ids.length;
    const { masks } = await fillMask(model, inputOf(each), { topK });
    report.compareEqual(
      `${each.id} positions`,
      masks.map(({ position }) => position),
      each.masks.map(({ position }) => position),
    );
    each.masks.forEach(({ ids, log_probs: logs }, m) => {
      const candidates = masks[m]?.candidates ?? [];
      report.compareEqual(
        `${each.id} mask ${m}`,
        candidates.map(({ token }) => token),
        ids,
      );
      logs.forEach((log, i) => compareScore(report, `${each.id} mask ${m} log ${i}`, Math.log(candidates[i]?.score ?? NaN), log));
    });
    await compareTargets(model, each, each.masks[0]!, report);
    if (each.answer !== undefined)
      compareFilled(
        each,
        masks.map(({ candidates }) => candidates),
        report,
      );
  }
}

/** The worst five of the ten best words as targets: they must come back with the scores they have in the whole vocabulary. */
async function compareTargets(
  model: Model,
  each: TinyCase,
  { ids, log_probs: logs }: { ids: readonly number[]; log_probs: readonly number[] },
  report: Report,
): Promise<void> {
  const targets = ids.slice(5).map((id) => model.tokenizer.idToToken(id)!);
  const { masks } = await fillMask(model, inputOf(each), { targets: [...targets].reverse() });
  const { candidates } = masks[0]!;
  report.compareEqual(
    `${each.id} targets`,
    candidates.map(({ token }) => token),
    ids.slice(5),
  );
  candidates.forEach(({ score }, i) => compareScore(report, `${each.id} target ${i}`, Math.log(score), logs[5 + i]!));
}

function compareFilled(each: TinyCase, masks: readonly (readonly MaskCandidate[])[], report: Report): void {
  type Filled = { score: number; token: number; token_str: string; sequence: string };
  const answer = each.answer as readonly Filled[] | readonly (readonly Filled[])[];
  const lists = Array.isArray(answer[0]) ? (answer as readonly (readonly Filled[])[]) : [answer as readonly Filled[]];
  lists.forEach((list, m) =>
    list.forEach((expected, i) => {
      const { score, token, tokenStr, sequence } = masks[m]![i]!;
      report.compareEqual(
        `${each.id} answer ${m}.${i}`,
        [token, tokenStr, sequence],
        [expected.token, expected.token_str, expected.sequence],
      );
      compareScore(report, `${each.id} answer ${m}.${i}`, score, expected.score);
    }),
  );
}

async function comparePretrainedPairs(model: Model, golden: TinyCases, report: Report): Promise<void> {
  for (const each of golden.cases as readonly (TinyCase & { readonly next_sentence_probs: readonly [number, number] })[]) {
    if (each.text_pair === undefined) continue;
    report.answers++;
    const { isNext, notNext } = await predictNextSentence(model, inputOf(each));
    compareScore(report, `${each.id} is next`, isNext, each.next_sentence_probs[0]);
    compareScore(report, `${each.id} not next`, notNext, each.next_sentence_probs[1]);
  }
}

async function compareNextSentence(model: Model, golden: TinyCases, report: Report): Promise<void> {
  const results = await predictNextSentence(model, golden.cases.map(inputOf));
  golden.cases.forEach(({ id, answer }, i) => {
    report.answers++;
    const { is_next: isNext, not_next: notNext } = answer as { is_next: number; not_next: number };
    compareScore(report, `${id} is next`, results[i]!.isNext, isNext);
    compareScore(report, `${id} not next`, results[i]!.notNext, notNext);
  });
}

async function compareLabels(model: Model, golden: TinyCases, report: Report): Promise<void> {
  const results = await classifyText(model, golden.cases.map(inputOf), { topK: null });
  golden.cases.forEach(({ id, answer }, i) => {
    report.answers++;
    const expected = answer as readonly { label: string; score: number }[];
    const { labels } = results[i]!;
    report.compareEqual(
      `${id} labels`,
      labels.map(({ label }) => label),
      expected.map(({ label }) => label),
    );
    expected.forEach(({ score }, l) => compareScore(report, `${id} score ${l}`, labels[l]?.score, score));
  });
}

async function compareRanking(model: Model, golden: TinyCases, report: Report): Promise<void> {
  interface Ranking {
    readonly query: string;
    readonly documents: readonly string[];
    readonly scores: readonly number[];
    readonly logits: readonly number[];
    readonly order: readonly number[];
  }
  const { ranking } = golden as TinyCases & { readonly ranking?: Ranking };
  if (ranking === undefined) return;
  report.answers++;
  for (const [activation, expected] of [
    ['sigmoid', ranking.scores],
    ['none', ranking.logits],
  ] as const) {
    const ranked = await rerank(model, ranking.query, ranking.documents, { activation });
    report.compareEqual(
      `ranking ${activation}`,
      ranked.map(({ index }) => index),
      ranking.order,
    );
    ranked.forEach(({ index, score }) => compareScore(report, `ranking ${activation} ${index}`, score, expected[index]!));
  }
}

async function compareEntities(model: Model, golden: TinyCases, report: Report): Promise<void> {
  for (const each of golden.cases) {
    for (const [strategy, entities] of Object.entries(each.answer as Readonly<Record<string, readonly GoldenEntity[]>>)) {
      report.answers++;
      const { entities: actual } = await recognizeEntities(model, each.text, { aggregationStrategy: strategy as AggregationStrategy });
      const counts = codePointCounts(each.text);
      report.compareEqual(
        `${each.id} ${strategy}`,
        actual.map((entity) => plain(entity, counts)),
        entities.map(withoutScore),
      );
      entities.forEach(({ score }, i) => compareScore(report, `${each.id} ${strategy} ${i}`, actual[i]?.score, score));
    }
  }
}

interface GoldenEntity {
  readonly entity?: string;
  readonly entity_group?: string;
  readonly score: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly index?: number;
}

const withoutScore = ({ entity, entity_group: group, word, start, end, index }: GoldenEntity) => [
  entity ?? group,
  word,
  start,
  end,
  index ?? 0,
];

const plain = ({ entity, entityGroup, word, start, end, index }: Entity, counts: Int32Array) => [
  entity ?? entityGroup,
  word,
  counts[start],
  counts[end],
  index ?? 0,
];

async function compareAnswers(model: Model, golden: TinyCases, report: Report): Promise<void> {
  interface Span {
    readonly start: number;
    readonly end: number;
    readonly answer: string;
  }
  for (const each of golden.cases) {
    report.answers++;
    const expected = each.answer as { readonly score: number; readonly exact: Span; readonly aligned: Span };
    const counts = codePointCounts(each.text_pair!);
    for (const form of ['exact', 'aligned'] as const) {
      const { answers } = await answerQuestion(
        model,
        { question: each.text, context: each.text_pair! },
        { alignToWords: form === 'aligned', equalAnswers: 'best' }, // cases.json has the best span
      );
      const [best] = answers;
      const { start, end, answer } = expected[form];
      report.compareEqual(`${each.id} ${form}`, [counts[best?.start ?? 0], counts[best?.end ?? 0], best?.answer], [start, end, answer]);
      compareScore(report, `${each.id} ${form}`, best?.score, expected.score);
    }
  }
}

async function compareChoices(model: Model, golden: TinyCases, report: Report): Promise<void> {
  const results = await multipleChoice(
    model,
    golden.cases.map(({ text, choices }) => ({ text, choices: choices! })),
  );
  golden.cases.forEach(({ id, answer }, i) => {
    report.answers++;
    const { choice, scores } = answer as { choice: number; scores: readonly number[] };
    report.compareEqual(`${id} choice`, results[i]!.choice, choice);
    scores.forEach((score, c) => compareScore(report, `${id} choice ${c}`, results[i]!.scores[c], score));
  });
}

async function compareReplaced(model: Model, golden: TinyCases, report: Report): Promise<void> {
  const results = await detectReplacedTokens(model, golden.cases.map(inputOf));
  golden.cases.forEach(({ id, answer }, i) => {
    report.answers++;
    const { replaced, probs } = answer as { replaced: readonly number[]; probs: readonly number[] };
    const { replacedTokens: tokens } = results[i]!;
    report.compareEqual(
      `${id} replaced`,
      tokens.map((token) => (token.replaced ? 1 : 0)),
      replaced,
    );
    probs.forEach((score, t) => compareScore(report, `${id} token ${t}`, tokens[t]?.score, score));
  });
}
