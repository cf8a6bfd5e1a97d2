import type { Attention } from '../attention/attention.js';
import type { Rollout } from '../attention/rollout.js';
import type { SimilarityExplanation } from '../attribution/similarity.js';
import type { AttributionBody, PageData } from './data.js';
import { barsFigure } from './figures/bars.js';
import { calibrationChart, probeChart, trainingCharts } from './figures/charts.js';
import { line, stacked, type Figure } from './figures/figure.js';
import { headsFigure } from './figures/heads.js';
import { heatFigure } from './figures/heat.js';
import { painted } from './figures/paint.js';
import { scatterFigure } from './figures/scatter.js';
import type { ExplainResult, TextRollout } from './result.js';
import { headingOf } from './view/heading.js';
import { percent } from './view/numbers.js';
import { tablesOf } from './view/tables.js';
import { cut, el, isolated, shown, toMarkup } from './view/tree.js';
import { fill } from './view/words.js';
import type { Words } from './view/words-en.js';

const [kMargin, kGap] = [16, 18];
/** Bars of one picture. */
const kMostBars = 40;

/** A result as an SVG file: no script, no style sheet, attributes alone, so that every program shows it alike. */
export function svgOf(result: ExplainResult, data: PageData, words: Words): string {
  const { kind, question, facts, claims } = headingOf(data, words);
  const body = stacked(figuresOf(result, data, words), kGap);
  const width = Math.max(640, body.width);
  const about = facts.map(([name, value]) => `${name}: ${value}`).join(' · ');
  const figure = stacked(
    [
      line(isolated(cut(question, 90)), width, 'ink strong', 18),
      line(isolated(cut(about, Math.floor(width / 6))), width, 'faint', 12),
      body,
      ...claims.map((claim) => line(claim, width, 'faint', 11)),
    ],
    kGap / 2,
  );
  const [w, h] = [Math.ceil(width + 2 * kMargin), Math.ceil(figure.height + 2 * kMargin)];
  const svg = el(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${w} ${h}`,
      width: w,
      height: h,
      role: 'img',
      'font-family': 'system-ui, sans-serif',
      'font-size': 14,
    },
    el('title', {}, shown(question)),
    el('desc', {}, shown([kind, about, ...claims].join('. '))),
    el('rect', { width: w, height: h, fill: '#ffffff' }),
    el('g', { transform: `translate(${kMargin} ${kMargin})` }, figure.node),
  );
  return `${toMarkup(svg, ({ attributes }) => painted(attributes))}\n`;
}

function figuresOf(result: ExplainResult, data: PageData, words: Words): Figure[] {
  switch (data.kind) {
    case 'attribution':
      return [barsOf(data)];
    case 'similarity': {
      const { map, tokensA, tokensB } = result as SimilarityExplanation;
      const names = (tokens: SimilarityExplanation['tokensA']): string[] => tokens.map(({ token }) => token);
      const title = (text: string): Figure => line(text, 640, 'ink strong');
      return [
        ...[title(words.firstText), barsOf(data.a), title(words.secondText), barsOf(data.b), title(words.pairsMap)],
        heatFigure({ rows: names(tokensA), columns: names(tokensB), values: map.data }),
      ];
    }
    case 'attention': {
      const { rollout, ...attention } = result as Attention & { readonly rollout?: Rollout };
      const names = data.tokens.map(({ token }) => token);
      if (rollout === undefined) return [headsFigure(attention)];
      const title = line(words.rollout, 640, 'ink strong');
      return [headsFigure(attention), title, heatFigure({ rows: names, columns: names, values: rollout.data })];
    }
    case 'rollout': {
      const names = data.tokens.map(({ token }) => token);
      return [heatFigure({ rows: names, columns: names, values: (result as TextRollout).rollout.data })];
    }
    case 'training':
      return trainingCharts(data, words).flatMap(({ name, figure }) => [line(isolated(name), 640, 'ink strong'), figure]);
    case 'probe':
      return [probeChart(data, words)];
    case 'map':
      return [scatterFigure(data)];
    case 'errors':
      return [
        line(words.confusion, 640, 'ink strong'),
        heatFigure({ rows: data.labels, columns: data.labels, values: data.confusion.flat(), write: String }),
        line(words.calibration, 640, 'ink strong'),
        calibrationChart(data.calibration, words),
        line(words.misleading, 640, 'ink strong'),
        barsFigure(data.words.map(({ word, value }) => ({ name: word, value }))),
      ];
    case 'lens':
      return data.masks.flatMap(({ position, layers }) => [
        line(fill(words.maskAt, position), 640, 'ink strong'),
        ...layers.map(({ layer, words: best }) => {
          const list = best.map(({ word, logProbability }) => `${isolated(word)} ${percent(Math.exp(logProbability), 1)}`);
          return line(`${layer === 0 ? words.embeddings : `${words.layer} ${layer}`}:  ${list.join('   ')}`, 640, 'ink', 13);
        }),
      ]);
    case 'check':
      return [
        ...[line(words.learnedValues, 640, 'ink strong'), numberedBars(data.values)],
        ...[line(words.randomValues, 640, 'ink strong'), numberedBars(data.randomValues)],
      ];
    case 'tokens':
      return tablesOf(data, words).flatMap(({ rows }) => rows.map((row) => line(row.map(isolated).join('   '), 640, 'ink', 13)));
  }
}

const numberedBars = (values: readonly number[]): Figure => barsFigure(values.map((value, i) => ({ name: String(i + 1), value })));

function barsOf({ attributions }: AttributionBody): Figure {
  const bars = attributions.map(({ text, value, error }) => ({ name: text, value, ...(error === undefined ? {} : { error }) }));
  if (bars.length <= kMostBars) return barsFigure(bars);
  return barsFigure(bars.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, kMostBars));
}
