import { unexpected } from '../../expected.js';
import { version } from '../../version.js';
import type { Attention } from '../attention/attention.js';
import type { Rollout } from '../attention/rollout.js';
import type { Attribution } from '../attribution/attribute.js';
import type { ExplanationCheck } from '../attribution/check-explanation.js';
import type { ClassifierExplanation } from '../attribution/explain-classifier.js';
import type { ExplainedWindow } from '../attribution/explain-windows.js';
import type { Explanation } from '../attribution/explain.js';
import type { SimilarityExplanation } from '../attribution/similarity.js';
import type { Lens } from '../layers/logit-lens.js';
import type { LayerProbe } from '../layers/probe-layers.js';
import type { ErrorAnalysis } from '../maps/explain-errors.js';
import type { TextMap } from '../maps/map-texts.js';
import type { Tokenization } from '../reading/tokenization.js';
import type { TrainingCurves } from '../training/training-curves.js';
import { packAttention } from './pack/pack-attention.js';
import { packBytes, packMatrix } from './pack/pack.js';
import { quantizedHead } from './pack/quantize.js';
import type { AttributionBody, PageBody, PageData } from './data.js';
import { curvesBody } from './pack/curves.js';
import { cut } from './view/tree.js';

/** A rollout with the text that it is of. */
export type TextRollout = Pick<Attention, 'text' | 'textPair' | 'tokens' | 'truncated' | 'model'> & { readonly rollout: Rollout };

/** What `render` shows: every result of this library; attributions with their `check` and attention with its `rollout`, where those were made. */
export type ExplainResult =
  | ((Attribution | Explanation | ClassifierExplanation | ExplainedWindow) & { readonly check?: ExplanationCheck })
  | SimilarityExplanation
  | (Attention & { readonly rollout?: Rollout })
  | TextRollout
  | Lens
  | LayerProbe
  | TextMap
  | ErrorAnalysis
  | ExplanationCheck
  | Tokenization
  | TrainingCurves;

/** Characters of a text on a map. */
const kMapText = 120;
/** Characters of a text in a list of errors. */
const kListText = 1000;

/** What a page shows of a result, attention weights only with a budget for them. Errors: INVALID_ARG for anything else. */
export function pageData(result: ExplainResult, attentionBudget: number | undefined): PageData {
  const model = 'model' in result && result.model !== undefined ? { model: modelName(result.model) } : {};
  return { ...bodyOf(result, attentionBudget), version, ...model };
}

function bodyOf(result: ExplainResult, attentionBudget: number | undefined): PageBody {
  const has = (key: string): boolean => typeof result === 'object' && result !== null && key in result;
  if (has('cosine')) return similarityBody(result as SimilarityExplanation);
  if (has('attributions')) return { kind: 'attribution', ...attributionBody(result as Attribution) };
  if (has('weights')) return { kind: 'attention', ...packAttention(result as Attention & { readonly rollout?: Rollout }, attentionBudget) };
  if (has('rollout')) return rolloutBody(result as TextRollout);
  if (has('curves')) return { kind: 'training', ...curvesBody(result as TrainingCurves) };
  if (has('masks')) return lensBody(result as Lens);
  if (has('majority')) return probeBody(result as LayerProbe);
  if (has('points')) return mapBody(result as TextMap);
  if (has('confusion')) return errorsBody(result as ErrorAnalysis);
  if (has('randomValues')) return { kind: 'check', ...(result as ExplanationCheck) };
  if (has('texts')) return { kind: 'tokens', texts: (result as Tokenization).texts };
  throw unexpected('INVALID_ARG', 'a result of bertha-encoder/explain for render', 'something else');
}

function attributionBody(given: Attribution): AttributionBody {
  const { delta, tokens, attributions, ...rest } = given;
  const { model: _, start = 0, ...body } = rest as typeof rest & { readonly model?: string; readonly start?: number };
  // A window's offsets count in the whole text, of which the page has the window alone.
  const moved = <T extends { readonly start: number; readonly end: number; readonly special?: boolean }>(
    list: readonly T[],
  ): readonly T[] =>
    start === 0 ? list : list.map((each) => (each.special === true ? each : { ...each, start: each.start - start, end: each.end - start }));
  return { ...body, delta: Number.isFinite(delta) ? delta : null, tokens: moved(tokens), attributions: moved(attributions) };
}

function similarityBody({ cosine, a, b, map, tokensA, tokensB, additive, warnings }: SimilarityExplanation): PageBody {
  const [rows = 0, columns = 0] = map.dims;
  return {
    kind: 'similarity',
    cosine,
    a: attributionBody(a),
    b: attributionBody(b),
    map: packMatrix(map.data, rows, columns),
    tokensA,
    tokensB,
    additive,
    warnings,
  };
}

function rolloutBody({ text, textPair, tokens, truncated, rollout }: TextRollout): PageBody {
  const { data, residual, reduce } = rollout;
  return {
    kind: 'rollout',
    text,
    ...(textPair === undefined ? {} : { textPair }),
    tokens,
    truncated,
    residual,
    reduce,
    rollout: packBytes(quantizedHead(data, tokens.length)),
  };
}

function lensBody({ text, tokens, masks }: Lens): PageBody {
  return { kind: 'lens', text, tokens, masks };
}

function probeBody({ classes, layers, majority, trainRows, testRows }: LayerProbe): PageBody {
  return {
    kind: 'probe',
    classes,
    layers: layers.map(({ predictions: _, ...layer }) => layer),
    majority,
    trainRows,
    testRows,
  };
}

function mapBody({ points, groups, method, seed, explainedVarianceRatio, total, warnings }: TextMap): PageBody {
  const short = (value: number): number => Number(value.toPrecision(4));
  return {
    kind: 'map',
    points: points.map(({ text, x, y, group }) => ({ text: cut(text, kMapText), x: short(x), y: short(y), group })),
    groups,
    method,
    seed,
    ...(explainedVarianceRatio && { explainedVarianceRatio }),
    total,
    warnings,
  };
}

function errorsBody({ labels, accuracy, confusion, calibration, words, lengths, truncated, texts }: ErrorAnalysis): PageBody {
  return {
    kind: 'errors',
    labels,
    accuracy,
    confusion,
    calibration,
    words,
    lengths,
    truncated: { texts: truncated.texts, accuracy: Number.isFinite(truncated.accuracy) ? truncated.accuracy : null },
    texts: texts.map(({ index, text, label, predicted, probability, attribution }) => ({
      index,
      text: cut(text, kListText),
      label,
      predicted,
      probability: Number(probability.toPrecision(4)),
      ...(attribution && { attribution: shortAttribution(attribution) }),
    })),
  };
}

function shortAttribution({ text, textPair, attributions }: Attribution): Pick<AttributionBody, 'text' | 'textPair' | 'attributions'> {
  return { text, ...(textPair === undefined ? {} : { textPair }), attributions };
}

/** A directory's last name, or the id of a model of the Hub's cache. A page tells nobody where its author keeps files. */
function modelName(directory: string): string {
  const [, organization, name] = /models--(.+?)--([^\\/]+)[\\/]snapshots/.exec(directory) ?? [];
  if (organization !== undefined) return `${organization}/${name}`;
  return directory.split(/[\\/]/).findLast((part) => part !== '') ?? directory;
}
