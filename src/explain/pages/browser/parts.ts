import type { AttributionBody, UnitData } from '../data.js';
import type { Figure } from '../figures/figure.js';
import { largestOf, percent, signed } from '../view/numbers.js';
import { tableElement, type Table } from '../view/tables.js';
import { el, type Child, type TreeElement } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, put, roving } from './dom.js';

/** A part of a page under its title. */
export function section(title: string, hint: string | undefined, ...content: readonly Child[]): TreeElement {
  return el('section', {}, el('h2', {}, title), hint !== undefined && el('p', { class: 'hint' }, hint), content);
}

/** A picture in a page. */
export function pictureOf({ width, height, node }: Figure, name: string): TreeElement {
  const size = { viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, width: Math.ceil(width), height: Math.ceil(height) };
  return el('svg', { ...size, role: 'img', 'aria-label': name }, node);
}

/** What may be wider than the window, as a stop of the Tab key, so that arrow keys move it. */
export function scrolling(...children: readonly Child[]): TreeElement {
  return el('div', { class: 'scroll', tabindex: 0 }, children);
}

/** Numbers that open on demand. */
export function numbersOf(tables: readonly Table[], words: Words): TreeElement {
  return el('details', {}, el('summary', {}, words.numbers), scrolling(tables.map(tableElement)));
}

/** What the tints of a text mean. */
export function legend(words: Words): TreeElement {
  const key = (kind: 'plus' | 'minus', text: string): TreeElement =>
    el('span', {}, el('span', { class: `unit ${kind}`, '--share': 0.7 }, 'Aa'), ` ${text}`);
  return el('p', { class: 'legend' }, key('plus', words.raises), key('minus', words.lowers));
}

/** A part of a text. */
type Stretch = NonNullable<AttributionBody['unread']>[number];

/** The units of one text, tinted, with what lies between them; what was not read is grey. Bare spans, so that letters still join. */
function unitsOf(text: string, units: readonly UnitData[], largest: number, unread: readonly Stretch[]): TreeElement[] {
  const parts: TreeElement[] = [];
  let at = 0;
  const gap = (to: number): void => {
    if (to <= at) return;
    const isUnread = unread.some(({ start, end }) => start < to && end > at);
    parts.push(el('span', { class: isUnread ? 'unread' : undefined }, text.slice(at, to)));
  };
  for (const unit of units) {
    gap(unit.start);
    const kind = unit.value < 0 ? 'minus' : 'plus';
    const share = Math.abs(unit.value) / largest;
    // Pieces of one character share its place: the first shows it, the others are there for those who move between them.
    const own = text.slice(Math.max(at, unit.start), unit.end);
    const label = own === '' ? { 'aria-label': unit.text } : {};
    const attributes = {
      class: `unit ${kind}${share < 0.02 ? ' none' : ''}`,
      '--share': share.toFixed(3),
      title: signed(unit.value),
      ...label,
    };
    parts.push(el('span', { ...attributes, role: 'button', 'aria-pressed': 'false' }, own));
    at = Math.max(at, unit.end);
  }
  gap(text.length);
  return parts;
}

/** Texts with their units, one of which can be chosen. */
export function unitText(
  body: Pick<AttributionBody, 'text' | 'textPair' | 'attributions' | 'unread'>,
  words: Words,
  hint = words.unitsHint,
): HTMLElement {
  const { text, textPair, attributions, unread = [] } = body;
  const largest = largestOf(attributions.map(({ value }) => value));
  const total = attributions.reduce((sum, { value }) => sum + Math.abs(value), 0) || 1;
  const paragraphs = [text, ...(textPair === undefined ? [] : [textPair])].map((own, sequence) => {
    const [units, rest] = [attributions, unread].map((list) => list.filter((each) => each.sequence === sequence)) as [
      UnitData[],
      Stretch[],
    ];
    return el('p', { class: 'text', dir: 'auto' }, unitsOf(own, units, largest, rest));
  });
  const box = make(el('div', { role: 'group', 'aria-label': words.text }, paragraphs));
  const status = make(el('p', { class: 'status', role: 'status' }, hint));
  const spans = Array.from(box.querySelectorAll<HTMLElement>('.unit'));
  const ordered = [0, 1].flatMap((sequence) => attributions.filter((unit) => unit.sequence === sequence));
  roving(spans, undefined, (i) => {
    const unit = ordered[i]!;
    spans.forEach((span, k) => span.setAttribute('aria-pressed', String(k === i)));
    const rest = `${signed(unit.value)} (${fill(words.ofDifference, percent(Math.abs(unit.value) / total))})`;
    put(status, el('bdi', {}, unit.text.trim()), ` ${rest}`);
  });
  return wrapped(box, status);
}

function wrapped(...children: readonly HTMLElement[]): HTMLElement {
  const box = document.createElement('div');
  box.append(...children);
  return box;
}

/** A row of bars. */
export interface BarRow {
  readonly name: string;
  /** Of a pair of tokens, the second; then both stand as they are spelled, from left to right. */
  readonly other?: string;
  readonly value: number;
  readonly error?: number;
  readonly note?: string;
}

/** Names with their values as bars from a common axis, the largest first: eight, and all on demand. */
export function barList(given: readonly BarRow[], words: Words, most = 8): HTMLElement {
  const rows = [...given].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const box = document.createElement('div');
  const show = (count: number): void => {
    put(box, barTable(rows.slice(0, count), words));
    if (count < rows.length)
      box.append(make(el('button', { type: 'button', onclick: () => show(rows.length) }, `${words.allWords} (${rows.length})`)));
  };
  show(most);
  return box;
}

function barTable(rows: readonly BarRow[], words: Words): TreeElement {
  const least = Math.min(0, ...rows.map(({ value, error = 0 }) => value - error));
  const most = Math.max(0, ...rows.map(({ value, error = 0 }) => value + error));
  const place = (value: number): string => ((value - least) / (most - least || 1)).toFixed(4);
  const [hasErrors, hasNotes] = [rows.some(({ error }) => error !== undefined), rows.some(({ note }) => note !== undefined)];
  return el(
    'table',
    { class: 'bars' },
    el(
      'thead',
      { class: 'unseen' },
      el(
        'tr',
        {},
        el('th', { scope: 'col' }, words.word),
        el('th', { scope: 'col' }, words.value),
        hasErrors && el('th', { scope: 'col' }, words.standardError),
        el('td'),
      ),
    ),
    el(
      'tbody',
      {},
      rows.map(({ name, other, value, error, note }) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, nameOf(name, other)),
          el('td', { class: 'number' }, signed(value)),
          hasErrors && el('td', { class: 'number faint' }, error === undefined ? '' : `± ${error.toFixed(3)}`),
          el(
            'td',
            { class: 'track', 'aria-hidden': 'true' },
            el('span', { class: 'axis', '--from': place(0) }),
            el('span', {
              class: `bar ${value < 0 ? 'minus' : 'plus'}`,
              '--from': place(Math.min(0, value)),
              '--size': (Math.abs(value) / (most - least || 1)).toFixed(4),
            }),
            error !== undefined &&
              error > 0 &&
              el('span', { class: 'whisker', '--from': place(value - error), '--size': ((2 * error) / (most - least || 1)).toFixed(4) }),
          ),
          hasNotes && el('td', { class: 'faint' }, note ?? ''),
        ),
      ),
    ),
  );
}

function nameOf(name: string, other: string | undefined): Child {
  if (other === undefined) return el('bdi', { title: name }, name);
  return [el('bdi', { dir: 'ltr' }, name), ' · ', el('bdi', { dir: 'ltr' }, other)];
}
