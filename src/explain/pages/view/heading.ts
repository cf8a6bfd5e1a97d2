import type { AttributionBody, PageData } from '../data.js';
import { fixed, percent, signed } from './numbers.js';
import { fill } from './words.js';
import type { Words } from './words-en.js';

/** What stands above a page, a picture, or lines of a terminal. */
export interface Heading {
  readonly kind: string;
  readonly question: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly claims: readonly string[];
  readonly warnings: readonly string[];
}

/** The heading of a result. */
export function headingOf(data: PageData, words: Words): Heading {
  const { kind } = data;
  const model: Heading['facts'] = data.model === undefined ? [] : [[words.model, data.model]];
  const own = partsOf(data, words);
  return { kind: words[kind], warnings: [], ...own, facts: [...model, ...own.facts] };
}

type Parts = Omit<Heading, 'kind' | 'warnings'> & { readonly warnings?: readonly string[] };

function partsOf(data: PageData, words: Words): Parts {
  switch (data.kind) {
    case 'attribution':
      return {
        question: questionOf(data, words),
        facts: attributionFacts(data, words),
        claims: attributionClaims(data, words),
        warnings: data.warnings,
      };
    case 'similarity':
      return {
        question: fill(words.whySimilar, percent(data.cosine)),
        facts: [
          [words.cosine, fixed(data.cosine)],
          ...attributionFacts(data.a, words).filter(([name]) => name !== words.score && name !== words.baselineScore),
        ],
        claims: [...attributionClaims(data.a, words), data.additive ? words.claimExact : words.claimNotAdditive],
        warnings: [...new Set([...data.warnings, ...data.a.warnings, ...data.b.warnings])],
      };
    case 'attention':
      return {
        question: words.whereHeadsRead,
        facts: [
          [words.layers, String(data.layers.length)],
          [words.heads, String(data.heads.length)],
          [words.tokens, String(data.tokens.length)],
          ...(data.weights === 'norm' ? [[words.method, words.normWeights] as const] : []),
        ],
        claims: [words.claimAttention, ...(data.weights === 'norm' ? [words.claimNorm] : [])],
        warnings: data.truncated ? [words.truncatedText] : [],
      };
    case 'rollout':
      return {
        question: words.whatFlowsWhere,
        facts: [
          [words.tokens, String(data.tokens.length)],
          [words.residual, String(data.residual)],
          [words.ofHeads, data.reduce === 'mean' ? words.mean : words.most],
        ],
        claims: [words.rolloutHint, words.claimAttention],
        warnings: data.truncated ? [words.truncatedText] : [],
      };
    case 'training':
      return {
        question: words.howDidItLearn,
        facts: [[words.runs, String(new Set(data.curves.map(({ run }) => run)).size)]],
        claims: [words.claimTraining],
        warnings: data.warnings,
      };
    case 'lens':
      return { question: words.whatLayersRead, facts: [[words.tokens, String(data.tokens.length)]], claims: [words.claimLens] };
    case 'probe':
      return {
        question: words.whichLayersKnow,
        facts: [
          [words.rows, String(data.trainRows)],
          [words.testRows, String(data.testRows)],
          [words.majority, percent(data.majority, 1)],
        ],
        claims: [words.claimProbe],
      };
    case 'map':
      return {
        question: words.whatIsAlike,
        facts: [
          [words.texts, String(data.points.length)],
          [words.method, data.method.toUpperCase()],
          [words.seed, String(data.seed)],
          ...(data.explainedVarianceRatio === undefined
            ? []
            : [[words.variance, data.explainedVarianceRatio.map((share) => percent(share, 1)).join(', ')] as const]),
        ],
        claims: [words.claimMap, ...(data.method === 'umap' ? [words.claimUmap] : [])],
        warnings: data.points.length < data.total ? [fill(words.drawn, data.points.length, data.total)] : data.warnings,
      };
    case 'errors':
      return {
        question: words.whatGoesWrong,
        facts: [
          [words.texts, String(data.texts.length)],
          [words.accuracy, percent(data.accuracy, 1)],
        ],
        claims: [words.claimErrors, words.claimAttribution],
      };
    case 'check':
      return {
        question: words.isItLearned,
        facts: [[words.correlation, signed(data.correlation)]],
        claims: [words.claimCheck],
        warnings: data.suspicious ? [fill(words.suspicious, signed(data.correlation))] : [],
      };
    case 'tokens':
      return {
        question: words.howIsItRead,
        facts: [[words.tokens, String(data.texts.reduce((sum, { tokens }) => sum + tokens.length, 0))]],
        claims: [words.claimTokens],
        warnings: data.texts.some(({ truncated }) => truncated) ? [words.truncatedText] : [],
      };
  }
}

function questionOf({ target }: AttributionBody, words: Words): string {
  if (target === undefined) return words.whyScore;
  const { head, label, versus } = target;
  if (versus !== undefined) return fill(words.whyVersus, label, versus);
  return fill(head === 'maskedLm' ? words.whyWord : words.whyLabel, label);
}

function attributionFacts(body: AttributionBody, words: Words): Heading['facts'] {
  const { method, steps, baseline, score, baselineScore, delta, converged, output, check } = body;
  const difference = Math.abs(score - baselineScore);
  const share = percent(Math.abs(delta ?? 0) / Math.max(difference, 1e-12), 1);
  const open = delta === null ? '' : `${signed(delta)} (${fill(words.completeness, share)})`;
  return [
    [words.method, method],
    ...(steps > 1 ? [[method === 'shapley' ? words.pairsOfOrders : words.steps, String(steps)] as const] : []),
    [words.baseline, baseline],
    [words.score, `${fixed(score)}${output === undefined || output === 'logit' ? '' : ` (${output})`}`],
    [words.baselineScore, fixed(baselineScore)],
    ...(delta === null ? [] : [[words.leftOpen, converged ? open : `${open}, ${words.notConverged}`] as const]),
    ...(check === undefined ? [] : [[words.check, `ρ ${signed(check.correlation)}`] as const]),
  ];
}

function attributionClaims({ method }: AttributionBody, words: Words): string[] {
  return [words.claimAttribution, ...(method === 'gradient-x-input' || method === 'gradient-norm' ? [words.claimGradient] : [])];
}
