// The models of golden data for explanations: attributions, attention, rollout, lens and maps of pairs.
import { join } from 'node:path';
import { attention } from '../../src/explain/attention/attention.js';
import { attentionRollout } from '../../src/explain/attention/rollout.js';
import { integrate, onPath, pointGradient } from '../../src/explain/attribution/gradients.js';
import { exactShapley, occlusion, sampledShapley } from '../../src/explain/attribution/perturbations.js';
import { gaussLegendre } from '../../src/explain/attribution/quadrature.js';
import { mapOf } from '../../src/explain/attribution/similarity.js';
import { resolveBaseline, type BaselineOption } from '../../src/explain/evaluation/baseline.js';
import type { Problem } from '../../src/explain/evaluation/evaluate.js';
import type { Score } from '../../src/explain/evaluation/score.js';
import { logitLens, lensLogits } from '../../src/explain/layers/logit-lens.js';
import { readExplained, type ExplainedText } from '../../src/explain/reading/explained-text.js';
import { unitsOf, type Unit } from '../../src/explain/reading/units.js';
import { loadModel, type Model } from '../../src/index.js';
import { codePoints, compare, Golden, same, type Case, type CaseTarget, type Line, type Tensor } from './read.js';

const kTolerance = 2e-5;
const kScore = 1e-5;
const kIntegrated = 1e-4;

/** Everything of one model. */
export async function* checkModel(root: string, name: string): AsyncGenerator<Line> {
  const golden = new Golden(join(root, 'tiny', name));
  const { cases } = golden.json<{ readonly cases: readonly Case[] }>('cases.json');
  const tensors = await golden.tensors('expected.safetensors');
  const model = await loadModel(golden.directory);
  try {
    for (const each of cases) {
      const read = await readExplained('golden', model, inputOf(each), { isSentence: name.startsWith('sentence') });
      const problem = (baseline: BaselineOption): Problem => ({
        model,
        read,
        score: scoreOfTarget(each.target),
        baseline: resolveBaseline(model, baseline),
        running: {},
      });
      yield* checkReading(each, read);
      yield* checkGradients(each, tensors, problem);
      yield* checkUnits(each, tensors, problem, unitsOf(read, 'words'), unitsOf(read, 'tokens'));
      yield* checkAttention(each, tensors, model);
      if (each.lens !== undefined) yield* checkLens(each, tensors, model, read);
      if (each.pair !== undefined && each.pair !== null) {
        const other = cases.find(({ id }) => id === each.pair)!;
        yield* checkPair(each, tensors, model, read, await readExplained('golden', model, inputOf(other), { isSentence: true }));
      }
    }
  } finally {
    model.dispose();
  }
}

function inputOf({ text, text_pair: textPair }: Case) {
  return textPair === null ? text : { text, textPair };
}

/** A case's target as a score. */
export function scoreOfTarget(target: CaseTarget): Score {
  const one = { coefficient: 1 };
  switch (target.kind) {
    case 'label':
      return { value: 'sequenceClassification', terms: [{ column: target.label, ...one }] };
    case 'next':
      return { value: 'nextSentence', terms: [{ column: target.label, ...one }] };
    case 'choice':
      return { value: 'multipleChoice', terms: [{ column: 0, ...one }] };
    case 'token-label':
      return { value: 'tokenClassification', terms: [{ token: target.position, column: target.label, ...one }] };
    case 'replaced':
      return { value: 'replacedToken', terms: [{ token: target.position, column: 0, ...one }] };
    case 'span': {
      const terms = [
        { token: target.start, column: 0, ...one },
        { token: target.end, column: 1, ...one },
      ];
      return { value: 'questionAnswering', terms };
    }
    case 'mask': {
      const terms = [{ token: target.position, column: target.label, ...one }];
      if (target.minus !== undefined) terms.push({ token: target.position, column: target.minus, coefficient: -1 });
      return { value: 'maskedLm', terms };
    }
    case 'similarity':
      return { value: 'normalizedVector', terms: target.other.map((coefficient, column) => ({ column, coefficient })) };
    case 'decision': {
      const terms = target.coef.map((coefficient, column) => ({ column, coefficient }));
      return { value: 'normalizedVector', terms, constant: target.intercept };
    }
  }
}

function* checkReading(each: Case, { text, textPair = '', tokens, encoding }: ExplainedText): Generator<Line> {
  const c = each.id;
  yield same(`ids.${c}`, Array.from(encoding.ids), each.input_ids);
  yield same(
    `offsets.${c}`,
    tokens.map(({ start, end, sequence }) => [start, end].map((offset) => codePoints(sequence === 1 ? textPair : text, offset))),
    each.offsets,
  );
  yield same(
    `special.${c}`,
    tokens.map(({ special }) => special),
    each.special,
  );
}

async function* checkGradients(each: Case, tensors: Tensors, problem: (baseline: BaselineOption) => Problem): AsyncGenerator<Line> {
  const c = each.id;
  for (const baseline of ['pad', 'mask', 'zero'] as const) {
    const of = (name: string): Tensor | undefined => tensors.get(`${name}.${c}`);
    const names = [...tensors.keys()].filter((name) => name.startsWith(`integrated.${baseline}.`) && name.endsWith(`.${c}`));
    const product = of(`gradient_x_input.${baseline}`);
    if (product !== undefined) {
      const { tokens } = await pointGradient(problem(baseline), 'gradient-x-input');
      yield compare(`gradient_x_input.${baseline}.${c}`, tokens, product.data, kTolerance);
    }
    if (each.baseline_score[baseline] === undefined) continue;
    const lines: Line[] = [];
    await onPath(problem(baseline), async (path) => {
      const [[point], [from]] = [await path.at([1], 'gradients'), await path.at([0], 'scores')];
      if (baseline === 'pad') {
        lines.push(compare(`score.${c}`, [point!.score], [each.score], kScore));
        lines.push(compare(`gradient.${c}`, point!.gradient!, of('gradient')!.data, kTolerance));
        lines.push(compare(`gradient_norm.${c}`, point!.norms, of('gradient_norm')!.data, kTolerance));
      }
      lines.push(compare(`baseline_score.${baseline}.${c}`, [from!.score], [each.baseline_score[baseline]!], kScore));
      for (const name of names) {
        const [, , rule, steps] = name.split('.');
        const own = await integrate(path, ruleOf(rule!, Number(steps)));
        lines.push(compare(name, own, tensors.get(name)!.data, kIntegrated));
      }
      const terms = of(`terms.${baseline}.gausslegendre.16`);
      if (terms !== undefined) {
        const points = await path.at(Array.from(gaussLegendre(16).nodes));
        const flat = points.flatMap((each) => Array.from(each.terms));
        lines.push(compare(`terms.${baseline}.gausslegendre.16.${c}`, flat, terms.data, kTolerance));
      }
    });
    yield* lines;
  }
}

/** Captum's rules; `explain` offers the first. */
function ruleOf(rule: string, n: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  if (rule === 'gausslegendre') return gaussLegendre(n);
  if (rule === 'riemann_middle') {
    return { nodes: Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n), weights: new Float64Array(n).fill(1 / n) };
  }
  const nodes = Float64Array.from({ length: n }, (_, i) => i / (n - 1));
  return { nodes, weights: Float64Array.from(nodes, (_, i) => (i === 0 || i === n - 1 ? 0.5 : 1) / n) };
}

async function* checkUnits(
  each: Case,
  tensors: Tensors,
  problem: (baseline: BaselineOption) => Problem,
  words: readonly Unit[],
  tokens: readonly Unit[],
): AsyncGenerator<Line> {
  const c = each.id;
  yield same(
    `words.${c}`,
    words.map((unit) => unit.tokens),
    each.words,
  );
  for (const baseline of ['pad', 'mask', 'zero'] as const) {
    const expected = tensors.get(`occlusion.${baseline}.tokens.${c}`);
    if (expected === undefined) continue;
    const { values } = await occlusion(problem(baseline), tokens, 'occlusion');
    const own = new Float64Array(each.tokens.length);
    tokens.forEach((unit, i) => (own[unit.tokens[0]!] = values[i]!));
    yield compare(`occlusion.${baseline}.tokens.${c}`, own, expected.data, kTolerance);
  }
  const pad = problem('pad');
  const compared = async (name: string, values: Promise<{ readonly values: Float64Array }>): Promise<Line> =>
    compare(`${name}.${c}`, (await values).values, tensors.get(`${name}.${c}`)!.data, kTolerance);
  yield await compared('occlusion.pad.words', occlusion(pad, words, 'occlusion'));
  yield await compared('leave_one_out.words', occlusion(pad, words, 'leave-one-out'));
  const sampled = await sampledShapley(pad, words, each.permutations);
  yield await compared('shapley.sampled', Promise.resolve(sampled));
  yield await compared('shapley.standard_error', Promise.resolve({ values: sampled.errors! }));
  const rest = sampled.values.reduce((sum, value) => sum + value, 0) - (sampled.score - sampled.baselineScore);
  yield compare(`shapley.sum.${c}`, [rest], [0], 1e-5);
  if (tensors.has(`shapley.exact.${c}`)) yield await compared('shapley.exact', exactShapley(pad, words));
}

async function* checkAttention(each: Case, tensors: Tensors, model: Model): AsyncGenerator<Line> {
  const c = each.id;
  if (!tensors.has(`attention.${c}.0`)) return;
  const seen = await attention(model, inputOf(each));
  for (const [layer, { data }] of seen.weights.entries()) {
    yield compare(`attention.${c}.${layer}`, data, tensors.get(`attention.${c}.${layer}`)!.data, kTolerance);
  }
  if (tensors.has(`attention_norm.${c}.0`)) {
    const { weights } = await attention(model, inputOf(each), { weights: 'norm' });
    for (const [layer, { data }] of weights.entries()) {
      yield compare(`attention_norm.${c}.${layer}`, data, tensors.get(`attention_norm.${c}.${layer}`)!.data, kTolerance);
    }
  }
  const rollouts = { 'rollout.mean': {}, 'rollout.max': { reduce: 'max' }, 'rollout.mean.residual-0.3': { residual: 0.3 } } as const;
  for (const [name, options] of Object.entries(rollouts)) {
    const { data } = attentionRollout(seen, options);
    yield compare(`${name}.${c}`, data, tensors.get(`${name}.${c}`)!.data, kTolerance);
    const sums = Array.from({ length: each.tokens.length }, (_, i) => {
      const row = data.subarray(i * each.tokens.length, (i + 1) * each.tokens.length);
      return row.reduce((sum, value) => sum + value, 0);
    });
    yield compare(
      `${name}.sums.${c}`,
      sums,
      sums.map(() => 1),
      1e-6,
    );
  }
}

async function* checkLens(each: Case, tensors: Tensors, model: Model, read: ExplainedText): AsyncGenerator<Line> {
  const positions = each.lens!.map(({ position }) => position);
  const rows = await lensLogits(model, read.encoding, positions);
  const flat = Float64Array.from(rows.flatMap((row) => Array.from(row)));
  yield compare(`lens.${each.id}`, flat, tensors.get(`lens.${each.id}`)!.data, kTolerance);
  const { masks } = await logitLens(model, inputOf(each));
  const got = masks.map(({ position, layers }) => ({ position, layers: layers.map(({ words }) => words.map(({ id }) => id)) }));
  const wanted = each.lens!.map(({ position, layers }) => ({ position, layers: layers.map(({ ids }) => ids) }));
  yield same(`lens.ids.${each.id}`, got, wanted);
  const all = each.lens!.flatMap(({ layers }) => layers);
  const own = masks.flatMap(({ layers }) => layers);
  yield same(
    `lens.rank.${each.id}`,
    own.map(({ rankOfFinal }) => rankOfFinal),
    all.map((layer) => layer.rank_of_final),
  );
  const numbers = own.flatMap((layer) => [
    layer.entropy,
    layer.logProbabilityOfFinal,
    ...layer.words.map(({ logProbability }) => logProbability),
  ]);
  const expected = all.flatMap((layer) => [layer.entropy, layer.log_prob_of_final, ...layer.log_probs]);
  yield compare(`lens.numbers.${each.id}`, numbers, expected, kTolerance);
}

async function* checkPair(each: Case, tensors: Tensors, model: Model, read: ExplainedText, other: ExplainedText): AsyncGenerator<Line> {
  for (const [name, kind] of [
    ['pairs', 'exact'],
    ['cosines', 'maxsim'],
  ] as const) {
    const expected = tensors.get(`${name}.${each.id}-${each.pair}`);
    if (expected === undefined) continue;
    const { map } = await mapOf(model, read, other, kind, {});
    yield compare(`${name}.${each.id}-${each.pair}`, map.data, expected.data, kTolerance);
    if (kind === 'exact') {
      const sum = map.data.reduce((all, value) => all + value, 0);
      yield compare(`${name}.sum.${each.id}-${each.pair}`, [sum], [each.score], 1e-5);
    }
  }
}

type Tensors = ReadonlyMap<string, Tensor>;
