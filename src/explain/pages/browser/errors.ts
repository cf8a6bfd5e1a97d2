import type { ErrorsBody, ExampleData, PageData } from '../data.js';
import { calibrationChart } from '../figures/charts.js';
import { percent } from '../view/numbers.js';
import { lengthTable, tableElement, tablesOf } from '../view/tables.js';
import { el } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, put, roving } from './dom.js';
import { barList, numbersOf, pictureOf, scrolling, section, unitText } from './parts.js';

/** Texts of a list at once. */
const kListed = 20;

/** The page of a classifier's errors: a cell of the matrix filters the texts. */
export function errorsView(data: ErrorsBody & PageData & { readonly kind: 'errors' }, words: Words): HTMLElement[] {
  const list = make(section(words.allWrong, undefined));
  const box = document.createElement('div');
  list.append(box);
  const show = (title: string, texts: readonly ExampleData[]): void => {
    put(list.querySelector('h2')!, title);
    showExamples(box, texts, words);
  };
  const columns = make(el('div', { class: 'columns' }));
  const calibration = section(
    words.calibration,
    undefined,
    scrolling(pictureOf(calibrationChart(data.calibration, words), words.calibration)),
  );
  columns.append(matrixSection(data, words, show), make(calibration));
  const wrong = data.texts.filter(({ label, predicted }) => label !== predicted).sort((a, b) => a.probability - b.probability);
  show(words.allWrong, wrong);
  const misleading = make(section(words.misleading, undefined));
  misleading.append(
    barList(
      data.words.map(({ word, value, texts }) => ({ name: word, value, note: `× ${texts}` })),
      words,
    ),
  );
  const lengths = section(words.byLength, undefined, scrolling(tableElement({ ...lengthTable(data, words), title: '' })));
  return [columns, list, ...(data.words.length > 0 ? [misleading] : []), make(lengths), make(numbersOf(tablesOf(data, words), words))];
}

function matrixSection(
  { labels, confusion, texts }: ErrorsBody,
  words: Words,
  show: (title: string, texts: readonly ExampleData[]) => void,
): HTMLElement {
  const most = Math.max(1, ...confusion.flat());
  const rows = confusion.map((row, i) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, el('bdi', {}, labels[i]!)),
      row.map((count, j) => {
        const name = `${words.rightLabel}: ${labels[i]!}, ${words.predictedLabel}: ${labels[j]!}, ${count}`;
        const button = {
          type: 'button',
          class: i === j ? 'cell right' : 'cell',
          'aria-pressed': 'false',
          'aria-label': name,
          '--share': (count / most).toFixed(3),
        };
        return el('td', {}, el('button', button, String(count)));
      }),
    ),
  );
  const head = el(
    'tr',
    {},
    el('td', { class: 'faint' }, `${words.rightLabel} ↓ ${words.predictedLabel} →`),
    labels.map((label) => el('th', { scope: 'col' }, el('bdi', {}, label))),
  );
  const table = el('table', { class: 'matrix' }, el('thead', {}, head), el('tbody', {}, rows));
  const place = make(section(words.confusion, words.confusionHint, scrolling(table)));
  const cells = Array.from(place.querySelectorAll<HTMLElement>('.cell'));
  roving(cells, labels.length, (index) => {
    const [right, predicted] = [labels[Math.floor(index / labels.length)]!, labels[index % labels.length]!];
    cells.forEach((cell, i) => cell.setAttribute('aria-pressed', String(i === index)));
    show(
      `${right} → ${predicted}`,
      texts.filter((each) => each.label === right && each.predicted === predicted).sort((a, b) => a.probability - b.probability),
    );
  });
  return place;
}

function showExamples(place: HTMLElement, texts: readonly ExampleData[], words: Words, most = kListed): void {
  const items = texts.slice(0, most).map(({ text, label, predicted, probability, attribution }) => {
    const item = make(
      el(
        'li',
        {},
        el(
          'p',
          { class: 'faint' },
          el('bdi', {}, label),
          ' → ',
          el('bdi', {}, predicted),
          ` · ${words.probabilityRight} ${percent(probability, 1)}`,
        ),
      ),
    );
    item.append(attribution === undefined ? make(el('p', { dir: 'auto' }, text)) : unitText(attribution, words, ''));
    return item;
  });
  const list = make(el('ul', { class: 'examples' }));
  list.append(...items);
  put(place, el('p', { class: 'hint', role: 'status' }, fill(words.textsShown, items.length, texts.length)), list);
  if (most < texts.length)
    place.append(make(el('button', { type: 'button', onclick: () => showExamples(place, texts, words, most + 100) }, words.more)));
}
