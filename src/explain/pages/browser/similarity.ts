import type { PackedMatrix, PageBody, TokenData } from '../data.js';
import { largestOf, signed } from '../view/numbers.js';
import { unitTable } from '../view/tables.js';
import { el } from '../view/tree.js';
import type { Words } from '../view/words-en.js';
import { barsOf } from './attribution.js';
import { bytesOf, make, put, roving } from './dom.js';
import { barList, legend, numbersOf, section, unitText } from './parts.js';

const kPairs = 10;

/** The page of two texts: the words of each, and which tokens meet. */
export function similarityView(data: Extract<PageBody, { kind: 'similarity' }>, words: Words): HTMLElement[] {
  const columns = [
    [words.firstText, data.a],
    [words.secondText, data.b],
  ] as const;
  const texts = make(el('div', { class: 'columns' }));
  for (const [title, body] of columns) {
    const own = make(section(title, undefined));
    own.append(unitText(body, words), barList(barsOf(body.attributions), words));
    texts.append(own);
  }
  const tables = columns.map(([title, body]) => unitTable(body, words, title));
  return [texts, make(legend(words)), pairsSection(data, words), make(numbersOf(tables, words))];
}

function pairsSection({ map, tokensA, tokensB }: Extract<PageBody, { kind: 'similarity' }>, words: Words): HTMLElement {
  const place = make(section(words.pairsMap, words.pairsHint));
  const at = matrixOf(map);
  const largest = largestOf(at.all);
  const sides = [tokensA, tokensB].map((tokens) => chips(tokens));
  const status = make(el('p', { class: 'status', role: 'status' }, words.nothingChosen));
  const choose = (side: 0 | 1, index: number): void => {
    const other = side === 0 ? tokensB : tokensA;
    const own = (side === 0 ? tokensA : tokensB)[index]!;
    const values = other.map((_, k) => (side === 0 ? at(index, k) : at(k, index)));
    sides[side]!.chips.forEach((chip, k) => tint(chip, 0, k === index));
    sides[1 - side]!.chips.forEach((chip, k) => tint(chip, values[k]! / largest, false));
    const best = [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, 3);
    put(
      status,
      el('bdi', { dir: 'ltr' }, own.token),
      ' → ',
      ...best.flatMap((k, i) => [i > 0 ? ', ' : '', el('bdi', { dir: 'ltr' }, other[k]!.token), ` ${signed(values[k]!)}`]),
    );
  };
  for (const side of [0, 1] as const) roving(sides[side]!.chips, undefined, (index) => choose(side, index));
  const pairs = tokensA.flatMap((a, i) => tokensB.map((b, j) => ({ a, b, i, j, value: at(i, j) })));
  const best = pairs
    .filter(({ a, b }) => !a.special && !b.special)
    .sort((one, two) => two.value - one.value)
    .slice(0, kPairs);
  const first = best[0];
  if (first !== undefined) choose(0, first.i);
  const list = barList(
    best.map(({ a, b, value }) => ({ name: a.token, other: b.token, value })),
    words,
    kPairs,
  );
  place.append(...sides.map(({ box }) => box), status, make(el('h3', {}, words.strongestPairs)), list);
  return place;
}

function chips(tokens: readonly TokenData[]): { readonly box: HTMLElement; readonly chips: readonly HTMLElement[] } {
  const box = make(
    el(
      'p',
      { class: 'chips' },
      tokens.map(({ token, special }) =>
        el('span', { class: special ? 'chip special' : 'chip', role: 'button' }, el('bdi', { dir: 'ltr' }, token)),
      ),
    ),
  );
  return { box, chips: Array.from(box.querySelectorAll<HTMLElement>('.chip')) };
}

function tint(chip: HTMLElement, share: number, isChosen: boolean): void {
  chip.setAttribute('aria-pressed', String(isChosen));
  chip.classList.toggle('plus', share > 0.02);
  chip.classList.toggle('minus', share < -0.02);
  chip.style.setProperty('--share', Math.abs(share).toFixed(3));
}

/** Reads a packed matrix. */
function matrixOf({
  columns,
  largest,
  values,
}: PackedMatrix): ((row: number, column: number) => number) & { readonly all: readonly number[] } {
  const bytes = bytesOf(values);
  const view = new DataView(bytes.buffer);
  const all = Array.from({ length: bytes.length / 2 }, (_, i) => (view.getInt16(2 * i, true) * largest) / 32_767);
  return Object.assign((row: number, column: number) => all[row * columns + column]!, { all });
}
