import { probeChart, trainingCharts } from '../figures/charts.js';
import type { CheckData, LensMaskData, PageBody, PageData, ProbeBody, RolloutBody, TokenizedData } from '../data.js';
import { percent } from '../view/numbers.js';
import { layerName, tablesOf } from '../view/tables.js';
import { el, type TreeElement } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, unpack } from './dom.js';
import { HeadView } from './head-view.js';
import { barList, numbersOf, pictureOf, scrolling, section } from './parts.js';
import { wholeHead } from './weights.js';

/** The page of the lens: for each mask the likeliest words, layer by layer, the last on top. */
export function lensView(data: Extract<PageBody, { kind: 'lens' }> & PageData, words: Words): HTMLElement[] {
  const text = make(section(words.text, undefined, el('p', { class: 'text', dir: 'auto' }, data.text)));
  return [text, ...data.masks.map((mask) => make(lensSection(mask, words))), make(numbersOf(tablesOf(data, words), words))];
}

function lensSection({ position, final, layers }: LensMaskData, words: Words): TreeElement {
  const rows = [...layers].reverse().map(({ layer, words: best, rankOfFinal }) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, layerName(layer, words)),
      best.map(({ word, logProbability }) => {
        const share = Math.exp(logProbability);
        return el(
          'td',
          { class: word === final ? 'guess final' : 'guess', '--share': share.toFixed(3) },
          el('bdi', {}, word),
          el('small', {}, percent(share, 1)),
        );
      }),
      el('td', { class: 'number faint' }, String(rankOfFinal + 1)),
    ),
  );
  const head = el(
    'tr',
    {},
    el('th', { scope: 'col' }, words.layer),
    el('th', { scope: 'col', colspan: layers[0]?.words.length ?? 1 }, words.likeliest),
    el('th', { scope: 'col' }, fill(words.placeOf, final)),
  );
  return section(
    fill(words.maskAt, position),
    undefined,
    scrolling(el('table', { class: 'lens' }, el('thead', {}, head), el('tbody', {}, rows))),
  );
}

/** The page of probes: accuracy by layer. */
export function probeView(data: ProbeBody & PageData, words: Words): HTMLElement[] {
  return [
    make(section(words.probe, data.classes.map(String).join(', '), scrolling(pictureOf(probeChart(data, words), words.whichLayersKnow)))),
    make(numbersOf(tablesOf(data, words), words)),
  ];
}

/** The page of a rollout: what of each token is in each of the last layer. */
export function rolloutView({ tokens, rollout }: RolloutBody, words: Words): HTMLElement[] {
  const view = new HeadView(tokens, words, tokens.length);
  void unpack(rollout).then((bytes) => view.show(words.rollout, wholeHead(bytes, 0, tokens.length)));
  const place = make(el('section', {}));
  place.append(view.element);
  return [place];
}

/** The page of training: a chart a name, the runs over each other. */
export function trainingView(data: Extract<PageData, { kind: 'training' }>, words: Words): HTMLElement[] {
  const charts = trainingCharts(data, words).map(({ name, figure }) => make(section(name, undefined, scrolling(pictureOf(figure, name)))));
  return [...charts, make(numbersOf(tablesOf(data, words), words))];
}

/** The page of the check under random layers: both lists of values beside each other. */
export function checkView(data: CheckData & PageData, words: Words): HTMLElement[] {
  const list = (title: string, values: readonly number[]): HTMLElement => {
    const own = make(section(title, undefined));
    own.append(
      barList(
        values.map((value, i) => ({ name: String(i + 1), value })),
        words,
        12,
      ),
    );
    return own;
  };
  const columns = make(el('div', { class: 'columns' }));
  columns.append(list(words.learnedValues, data.values), list(words.randomValues, data.randomValues));
  return [columns, make(numbersOf(tablesOf(data, words), words))];
}

/** The page of tokens: each text in its pieces. */
export function tokensView({ texts }: { readonly texts: readonly TokenizedData[] }, words: Words): HTMLElement[] {
  return texts.map(({ text, tokens, truncated }) => {
    const pieces = tokens.map(({ token, id, start, end, special, unknown = false }) =>
      el(
        'span',
        { class: `piece${special ? ' special' : ''}${unknown ? ' bad' : ''}`, title: special ? words.special : `${start} – ${end}` },
        el('bdi', { dir: 'ltr' }, token),
        el('small', {}, String(id)),
        unknown && el('small', {}, words.unknown),
      ),
    );
    const read = truncated ? Math.max(0, ...tokens.filter(({ sequence }) => sequence === 0).map(({ end }) => end)) : text.length;
    const rest = text.slice(read);
    return make(
      section(
        fill(words.tokenCount, tokens.length),
        undefined,
        el('p', { class: 'text', dir: 'auto' }, text.slice(0, read), rest !== '' && el('span', { class: 'unread' }, rest)),
        el('p', { class: 'pieces' }, pieces),
      ),
    );
  });
}
