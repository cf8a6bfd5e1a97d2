import type { TokenData } from '../data.js';
import { percent } from '../view/numbers.js';
import { el } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, put, roving, toDom } from './dom.js';
import type { Head, Row } from './weights.js';

/** Lines of a token that is not chosen, and the least weight that has one. */
const [kFaint, kLeast] = [3, 0.08];
/** Pixels of a token's line. */
const kRow = 26;
/** Weights of the chosen token that are written down. */
const kWritten = 8;

/** One head over the tokens: what reads to the left, what is read to the right, the chosen token's row strong and with numbers. */
export class HeadView {
  readonly element: HTMLElement;
  readonly #tokens: readonly TokenData[];
  readonly #words: Words;
  readonly #kept: number;
  readonly #title: HTMLElement;
  readonly #hint: HTMLElement;
  readonly #status: HTMLElement;
  readonly #left: readonly HTMLElement[];
  readonly #right: readonly HTMLElement[];
  readonly #lines: HTMLElement;
  #head: Head | undefined;
  #token: number;

  constructor(tokens: readonly TokenData[], words: Words, kept: number) {
    this.#tokens = tokens;
    this.#words = words;
    this.#kept = kept;
    this.#token = Math.max(
      0,
      tokens.findIndex(({ special }) => !special),
    );
    this.#title = make(el('h2'));
    this.#hint = make(el('p', { class: 'hint' }));
    this.#status = make(el('p', { class: 'status', role: 'status' }, words.chooseToken));
    const column = (tag: string, name: string): HTMLElement =>
      make(
        el(
          'div',
          { class: 'tokens', role: 'group', 'aria-label': name },
          tokens.map(({ token, special }) =>
            el(
              tag,
              { class: special ? 'special' : undefined, ...(tag === 'button' && { type: 'button' }) },
              el('bdi', { dir: 'ltr' }, token),
              el('span', { class: 'weight' }),
            ),
          ),
        ),
      );
    const [left, right] = [column('button', words.reads), column('div', words.isRead)];
    this.#left = Array.from(left.children) as HTMLElement[];
    this.#right = Array.from(right.children) as HTMLElement[];
    this.#lines = make(el('div', { class: 'lines', 'aria-hidden': 'true' }));
    const both = make(el('div', { class: 'bipartite' }));
    both.append(left, this.#lines, right);
    const heads = make(el('div', { class: 'sides', 'aria-hidden': 'true' }, el('span', {}, words.reads), el('span', {}, words.isRead)));
    const box = make(el('div', { class: 'reading' }));
    box.append(both);
    this.element = document.createElement('div');
    this.element.append(this.#title, this.#hint, this.#status, heads, box);
    roving(this.#left, undefined, (token) => this.#choose(token), this.#token);
  }

  /** Shows a head under its name. */
  show(name: string, head: Head, hint?: string): void {
    this.#head = head;
    put(this.#title, name);
    put(this.#hint, hint ?? (head.isWhole ? this.#words.chooseToken : fill(this.#words.strongestOnly, this.#kept)));
    this.#choose(this.#token);
  }

  #choose(token: number): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#token = token;
    const row = head.row(token);
    this.#left.forEach((button, i) => button.setAttribute('aria-pressed', String(i === token)));
    const best = [...row.columns.keys()].sort((a, b) => row.weights[b]! - row.weights[a]!).slice(0, kWritten);
    const written = new Map(best.filter((k) => row.weights[k]! >= 0.005).map((k) => [row.columns[k]!, row.weights[k]!]));
    const weights = new Map(row.columns.map((column, k) => [column, row.weights[k]!]));
    this.#right.forEach((place, i) => {
      place.style.setProperty('--share', (weights.get(i) ?? 0).toFixed(3));
      place.lastElementChild!.textContent = written.has(i) ? percent(written.get(i)!) : '';
    });
    const parts = [...written]
      .slice(0, 4)
      .flatMap(([column, weight], i) => [i > 0 ? ', ' : '', el('bdi', { dir: 'ltr' }, this.#tokens[column]!.token), ` ${percent(weight)}`]);
    const rest = row.rest > 0.005 ? `, ${this.#words.otherTokens} ${percent(row.rest)}` : '';
    put(this.#status, el('bdi', { dir: 'ltr' }, this.#tokens[token]!.token), ' → ', ...parts, rest);
    this.#draw(head, row);
  }

  #draw(head: Head, chosen: Row): void {
    const count = this.#tokens.length;
    const y = (token: number): number => token * kRow + kRow / 2;
    const path = (from: number, to: number): string => `M0 ${y(from)}C50 ${y(from)} 50 ${y(to)} 100 ${y(to)}`;
    const faint = this.#tokens.flatMap((_, i) => {
      if (i === this.#token) return [];
      const { columns, weights } = head.row(i);
      const best = [...columns.keys()].sort((a, b) => weights[b]! - weights[a]!).slice(0, kFaint);
      return best.filter((k) => weights[k]! >= kLeast).map((k) => path(i, columns[k]!));
    });
    const strong = chosen.columns.flatMap((column, k) => {
      const weight = chosen.weights[k]!;
      if (weight < 0.01) return [];
      return [
        el('path', {
          class: 'strong',
          d: path(this.#token, column),
          'stroke-width': (1 + 6 * weight).toFixed(2),
          'stroke-opacity': (0.25 + 0.75 * weight).toFixed(2),
        }),
      ];
    });
    const size = { viewBox: `0 0 100 ${count * kRow}`, width: '100%', height: count * kRow, preserveAspectRatio: 'none' };
    const svg = el('svg', size, el('path', { class: 'weak', d: faint.join('') }), strong);
    this.#lines.replaceChildren(toDom(svg));
  }
}
