import type { AttributionBody, FaithfulnessData, LensMaskData, PageData, TokenData, TrainingBody } from '../data.js';
import { fixed, percent, short, signed } from './numbers.js';
import { el, shown, type TreeElement } from './tree.js';
import { fill } from './words.js';
import type { Words } from './words-en.js';

/** Numbers of a result as rows. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Rows that a table without a script has at most: what is longer is in the page's data. */
const kMostRows = 500;

/** The numbers of a result, for readers without a script and for those who would rather read than look. */
export function tablesOf(data: PageData, words: Words): Table[] {
  switch (data.kind) {
    case 'attribution':
      return [
        unitTable(data, words, words.attribution),
        ...(data.faithfulness === undefined ? [] : [faithfulnessTable(data.faithfulness, words)]),
      ];
    case 'similarity':
      return [unitTable(data.a, words, words.firstText), unitTable(data.b, words, words.secondText)];
    case 'attention':
    case 'rollout':
      return [tokenTable(data, words)];
    case 'lens':
      return data.masks.map((mask) => lensTable(mask, words));
    case 'probe':
      return [
        {
          title: words.probe,
          columns: [words.layer, words.accuracy, words.interval, words.trainAccuracy, words.control],
          rows: data.layers.map(({ layer, accuracy, interval, trainAccuracy, controlAccuracy }) => [
            layerName(layer, words),
            percent(accuracy, 1),
            interval.map((edge) => percent(edge, 1)).join(' – '),
            percent(trainAccuracy, 1),
            percent(controlAccuracy, 1),
          ]),
        },
      ];
    case 'map':
      return [
        {
          title: words.map,
          columns: [words.group, words.size, words.keywords],
          rows: data.groups.map(({ name, size, keywords }) => [name, String(size), keywords.map(({ word }) => word).join(', ')]),
        },
      ];
    case 'errors':
      return [
        {
          title: words.confusion,
          columns: [words.rightLabel, ...data.labels],
          rows: data.confusion.map((row, i) => [data.labels[i]!, ...row.map(String)]),
        },
        lengthTable(data, words),
        {
          title: words.misleading,
          columns: [words.word, words.value, words.inTexts],
          rows: data.words.map(({ word, value, texts }) => [word, signed(value), String(texts)]),
        },
      ];
    case 'check':
      return [
        {
          title: words.check,
          columns: ['', words.learnedValues, words.randomValues],
          rows: data.values.map((value, i) => [String(i + 1), signed(value), signed(data.randomValues[i]!)]),
        },
      ];
    case 'training':
      return trainingTables(data, words);
    case 'tokens':
      return data.texts.map((text) => tokenTable(text, words));
  }
}

/** Of each name the runs, with where their curves begin, end, and go. */
export function trainingTables({ curves }: TrainingBody, words: Words): Table[] {
  return [...new Set(curves.map(({ name }) => name))].map((name) => ({
    title: name,
    columns: [words.run, words.step, words.first, words.last, words.least, words.most],
    rows: curves
      .filter((curve) => curve.name === name)
      .map(({ run, steps, values }) => {
        const there = values.filter((value) => value !== null);
        const sorted = [...there].sort((a, b) => a - b);
        return [run, String(steps.at(-1) ?? '–'), ...[there[0], there.at(-1), sorted[0], sorted.at(-1)].map(short)];
      }),
  }));
}

/** What the lengths of texts have to do with accuracy. */
export function lengthTable({ lengths, truncated }: Extract<PageData, { kind: 'errors' }>, words: Words): Table {
  const rows = lengths.map(({ from, to, texts, accuracy }) => [fill(words.tokensFromTo, from, to), String(texts), percent(accuracy, 1)]);
  const cutRow = [words.truncated, String(truncated.texts), percent(truncated.accuracy, 1)];
  return { title: words.byLength, columns: ['', words.texts, words.accuracy], rows: truncated.texts > 0 ? [...rows, cutRow] : rows };
}

/** Every unit with its value. */
export function unitTable({ attributions }: Pick<AttributionBody, 'attributions'>, words: Words, title: string): Table {
  const hasErrors = attributions.some(({ error }) => error !== undefined);
  return {
    title,
    columns: [words.word, words.value, ...(hasErrors ? [words.standardError] : [])],
    rows: attributions.map(({ text, value, error }) => [text, signed(value), ...(hasErrors ? [fixed(error)] : [])]),
  };
}

/** What the best words do to the score. */
export function faithfulnessTable({ shares, comprehensiveness, sufficiency, random }: FaithfulnessData, words: Words): Table {
  return {
    title: words.faithfulness,
    columns: [words.best, words.without, words.randomWithout, words.alone, words.randomAlone],
    rows: shares.map((share, i) => [
      percent(share),
      ...[comprehensiveness, random.comprehensiveness, sufficiency, random.sufficiency].map((list) => signed(list[i]!)),
    ]),
  };
}

/** The likeliest words of each layer at a mask. */
export function lensTable({ position, final, layers }: LensMaskData, words: Words): Table {
  return {
    title: fill(words.maskAt, position),
    columns: [words.layer, words.likeliest, fill(words.placeOf, final), fill(words.probabilityOf, final), words.entropy],
    rows: layers.map(({ layer, words: best, rankOfFinal, logProbabilityOfFinal, entropy }) => [
      layerName(layer, words),
      best.map(({ word, logProbability }) => `${word} ${percent(Math.exp(logProbability), 1)}`).join(', '),
      String(rankOfFinal + 1),
      percent(Math.exp(logProbabilityOfFinal), 1),
      fixed(entropy),
    ]),
  };
}

/** A layer by its number, 0 being the embeddings. */
export function layerName(layer: number, words: Words): string {
  return layer === 0 ? words.embeddings : String(layer);
}

function tokenTable({ tokens }: { readonly tokens: readonly TokenData[] }, words: Words): Table {
  return {
    title: words.tokens,
    columns: [words.token, words.id, words.offsets],
    rows: tokens.map(({ token, id, start, end, special }) => [token, String(id), special ? words.special : `${start} – ${end}`]),
  };
}

/** A table as an element. */
export function tableElement({ title, columns, rows }: Table): TreeElement {
  return el(
    'table',
    {},
    el('caption', {}, title),
    el(
      'thead',
      {},
      el('tr', {}, ...columns.map((name) => (name === '' ? el('td') : el('th', { scope: 'col', dir: 'auto' }, shown(name))))),
    ),
    el(
      'tbody',
      {},
      ...rows
        .slice(0, kMostRows)
        .map(([first = '', ...rest]) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row', dir: 'auto' }, shown(first)),
            ...rest.map((cell) => el('td', { dir: 'auto' }, shown(cell))),
          ),
        ),
    ),
  );
}
