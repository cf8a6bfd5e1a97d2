import type { AttentionBody } from '../data.js';
import { el } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { AttentionFile } from './attention-file.js';
import { make, put, roving } from './dom.js';
import { HeadView } from './head-view.js';
import { section } from './parts.js';
import { type Head, weightsOf } from './weights.js';

/** The page of attention: all heads as small pictures, one of them over the tokens. */
export function attentionView(data: AttentionBody, words: Words): HTMLElement[] {
  const view = new HeadView(data.tokens, words, data.strongest?.count ?? data.tokens.length);
  const grid = make(section(words.headGrid, words.headGridHint));
  const detail = make(el('section', {}));
  detail.append(view.element);
  const columns = make(el('div', { class: 'columns wide' }));
  columns.append(grid, detail);
  void fillGrid(grid, data, words, view);
  return [columns];
}

async function fillGrid(place: HTMLElement, data: AttentionBody, words: Words, view: HeadView): Promise<void> {
  const weights = await weightsOf(data);
  const { layers, heads } = data;
  const { mean, rollout } = weights;
  const table = make(
    el(
      'table',
      { class: 'heads' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('td'),
          heads.map((head) => el('th', { scope: 'col' }, String(head))),
        ),
      ),
    ),
  );
  const body = make(el('tbody'));
  table.append(body);
  const cells: HTMLElement[] = [];
  let file: AttentionFile | undefined;
  layers.forEach((layer, l) => {
    const row = make(el('tr', {}, el('th', { scope: 'row' }, String(layer))));
    heads.forEach((head, h) => {
      const name = fill(words.layerHead, layer, head);
      const button = make(el('button', { type: 'button', class: 'head', 'aria-label': name, 'aria-pressed': 'false', title: name }));
      button.append(drawn(weights.picture(l, h)));
      cells.push(button);
      const cell = document.createElement('td');
      cell.append(button);
      row.append(cell);
    });
    body.append(row);
  });
  const others: HTMLButtonElement[] = [];
  let current: number | undefined;
  const press = (button: HTMLElement): void => {
    for (const each of [...cells, ...others]) each.setAttribute('aria-pressed', String(each === button));
  };
  const addOther = (name: string, head: Head, hint?: string): void => {
    const show = (): void => {
      current = undefined;
      press(button);
      view.show(name, head, hint);
    };
    const button = make<HTMLButtonElement>(el('button', { type: 'button', 'aria-pressed': 'false', onclick: show }, name));
    others.push(button);
  };
  if (rollout !== undefined) addOther(words.rollout, rollout, words.rolloutHint);
  if (mean !== undefined && heads.length > 1) layers.forEach((layer, l) => addOther(`${words.mean}: ${words.layer} ${layer}`, mean(l)));
  const choose = (index: number): void => {
    current = index;
    press(cells[index]!);
    const [l, h] = [Math.floor(index / heads.length), index % heads.length];
    const [name, known] = [fill(words.layerHead, layers[l]!, heads[h]!), weights.head(l, h)];
    view.show(name, known);
    if (!known.isWhole) void file?.head(l, h).then((whole) => current === index && view.show(name, whole));
  };
  const box = make(el('div', { class: 'scroll' }));
  box.append(table);
  place.append(box);
  if (others.length > 0) {
    const list = make(el('div', { class: 'choice' }));
    list.append(...others);
    place.append(list);
  }
  if (data.key !== undefined) {
    const opened = (own: AttentionFile): void => {
      file = own;
      if (current !== undefined) choose(current);
    };
    place.append(...fileInput(data, words, opened));
  }
  const first = Math.floor(cells.length / 2);
  roving(cells, heads.length, choose, first);
  choose(first);
}

/** Where the reader opens the attention file of the page. */
function fileInput(data: AttentionBody, words: Words, open: (file: AttentionFile) => void): HTMLElement[] {
  const status = make(el('p', { class: 'status', role: 'status' }));
  const read = async (given: File): Promise<void> => {
    const file = await AttentionFile.of(given, data);
    if (file !== undefined) open(file);
    put(status, file === undefined ? words.wrongFile : words.fileOpen);
  };
  const input = make<HTMLInputElement>(el('input', { type: 'file', id: 'attention-file', accept: '.bin' }));
  input.addEventListener('change', () => {
    const [given] = Array.from(input.files ?? []);
    if (given !== undefined) void read(given);
  });
  const label = make(el('label', { for: 'attention-file', class: 'hint' }, words.openFile));
  return [label, input, status];
}

/** A head's picture: the darker, the larger the weight. */
function drawn({ side, cells }: { readonly side: number; readonly cells: Uint8Array }): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(side, side);
  cells.forEach((value, i) => image.data.set([46, 120, 196, value], 4 * i));
  context.putImageData(image, 0, 0);
  return canvas;
}
