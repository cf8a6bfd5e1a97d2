import type { MapBody } from '../data.js';
import { groupColours } from '../figures/paint.js';
import { placed } from '../figures/scatter.js';
import { el } from '../view/tree.js';
import { fill } from '../view/words.js';
import type { Words } from '../view/words-en.js';
import { make, put } from './dom.js';
import { section } from './parts.js';

/** Texts of a list at once, the larger steps of zooming, pixels within which a point is met. */
const [kListed, kZoom, kNear] = [40, 1.4, 12];

/** The page of a map: points on a canvas, groups with their keywords, and the texts of a group or of a search. */
export function mapView(data: MapBody, words: Words): HTMLElement[] {
  const map = new MapCanvas(data, words);
  const list = make(section(words.everyGroup, undefined));
  const box = document.createElement('div');
  list.append(box);
  let [group, query]: [number | undefined, string] = [undefined, ''];
  const update = (): void => {
    const isShown = data.points.map(
      (point) => (group === undefined || point.group === group) && (query === '' || point.text.toLowerCase().includes(query)),
    );
    map.mark(isShown);
    put(list.querySelector('h2')!, group === undefined ? words.everyGroup : data.groups[group]!.name);
    showTexts(
      box,
      data.points.filter((_, i) => isShown[i]),
      words,
      kListed,
    );
  };
  const side = make(section(words.keywords, undefined));
  const search = make<HTMLInputElement>(el('input', { type: 'search', id: 'search' }));
  search.addEventListener('input', () => {
    query = search.value.trim().toLowerCase();
    update();
  });
  const field = make(el('p', { class: 'field' }, el('label', { for: 'search' }, words.search)));
  field.append(search);
  const buttons = data.groups.map(({ name, size, keywords }, i) =>
    make(
      el(
        'button',
        { type: 'button', class: 'group', 'aria-pressed': 'false', onclick: () => choose(i) },
        el('span', { class: 'dot', '--colour': groupColours[i % groupColours.length] }),
        el('strong', {}, el('bdi', {}, name), ` ${size}`),
        el('span', { dir: 'auto' }, keywords.map(({ word }) => word).join(', ')),
      ),
    ),
  );
  const choose = (index: number): void => {
    group = group === index ? undefined : index;
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === group)));
    update();
  };
  side.append(field, ...buttons);
  const columns = make(el('div', { class: 'columns wide map' }));
  columns.append(map.element, side);
  update();
  return [columns, list];
}

function showTexts(place: HTMLElement, points: MapBody['points'], words: Words, most: number): void {
  const items = points.slice(0, most).map(({ text, group }) => {
    const dot = el('span', { class: 'dot', '--colour': groupColours[group % groupColours.length] });
    return el('li', {}, dot, el('span', { dir: 'auto' }, text));
  });
  put(
    place,
    el('p', { class: 'hint', role: 'status' }, fill(words.textsShown, items.length, points.length)),
    el('ul', { class: 'texts' }, items),
  );
  if (most < points.length)
    place.append(make(el('button', { type: 'button', onclick: () => showTexts(place, points, words, most + 200) }, words.more)));
}

/** Points that can be moved and zoomed; the nearest one's text stands beside the pointer. */
class MapCanvas {
  readonly element: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #tip: HTMLElement;
  readonly #points: readonly { readonly x: number; readonly y: number }[];
  readonly #data: MapBody;
  #isShown: readonly boolean[];
  #view = { x: 0.5, y: 0.5, zoom: 1 };
  #dragged: { readonly x: number; readonly y: number } | undefined;
  #isAsked = false;

  constructor(data: MapBody, words: Words) {
    this.#data = data;
    this.#points = placed(data.points);
    this.#isShown = data.points.map(() => true);
    this.element = make(section(words.map, words.mapHint));
    const frame = make(el('div', { class: 'frame' }));
    this.#canvas = make<HTMLCanvasElement>(el('canvas', { role: 'img', 'aria-label': words.whatIsAlike }));
    this.#tip = make(el('div', { class: 'tip', dir: 'auto', 'aria-hidden': 'true' }));
    const button = (name: string, sign: string, press: () => void) =>
      make(el('button', { type: 'button', 'aria-label': name, title: name, onclick: press }, sign));
    const tools = make(el('div', { class: 'tools' }));
    tools.append(
      button(words.zoomIn, '+', () => this.#zoom(kZoom)),
      button(words.zoomOut, '−', () => this.#zoom(1 / kZoom)),
      button(words.reset, '⤢', () => this.#move({ x: 0.5, y: 0.5, zoom: 1 })),
    );
    frame.append(this.#canvas, this.#tip, tools);
    this.element.append(frame);
    this.#listen();
    new ResizeObserver(() => this.#ask()).observe(this.#canvas);
  }

  /** Points that are not shown become faint. */
  mark(isShown: readonly boolean[]): void {
    this.#isShown = isShown;
    this.#ask();
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.#zoom(event.deltaY < 0 ? kZoom : 1 / kZoom, this.#at(event));
    });
    canvas.addEventListener('pointerdown', (event) => {
      this.#dragged = this.#at(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointerup', () => (this.#dragged = undefined));
    canvas.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    canvas.addEventListener('pointermove', (event) => {
      const at = this.#at(event);
      if (this.#dragged === undefined) return this.#show(event, at);
      this.#move({ ...this.#view, x: this.#view.x + this.#dragged.x - at.x, y: this.#view.y + this.#dragged.y - at.y });
    });
  }

  /** The place in the unit square under a pointer. */
  #at(event: PointerEvent | WheelEvent): { readonly x: number; readonly y: number } {
    const box = this.#canvas.getBoundingClientRect();
    const scale = this.#scale(box.width, box.height);
    return {
      x: this.#view.x + (event.clientX - box.left - box.width / 2) / scale,
      y: this.#view.y + (event.clientY - box.top - box.height / 2) / scale,
    };
  }

  #scale(width: number, height: number): number {
    return 0.92 * Math.min(width, height) * this.#view.zoom;
  }

  #zoom(factor: number, around: { readonly x: number; readonly y: number } = this.#view): void {
    const zoom = Math.min(200, Math.max(0.5, this.#view.zoom * factor));
    const kept = this.#view.zoom / zoom;
    this.#move({ zoom, x: around.x + (this.#view.x - around.x) * kept, y: around.y + (this.#view.y - around.y) * kept });
  }

  #move(view: { readonly x: number; readonly y: number; readonly zoom: number }): void {
    this.#view = view;
    this.#ask();
  }

  #show(event: PointerEvent, at: { readonly x: number; readonly y: number }): void {
    const scale = this.#scale(this.#canvas.clientWidth, this.#canvas.clientHeight);
    let [nearest, distance] = [-1, kNear / scale];
    this.#points.forEach(({ x, y }, i) => {
      const own = Math.hypot(x - at.x, y - at.y);
      if (own < distance && this.#isShown[i]) [nearest, distance] = [i, own];
    });
    const point = this.#data.points[nearest];
    this.#tip.hidden = point === undefined;
    if (point === undefined) return;
    put(this.#tip, point.text);
    const right = event.offsetX > this.#canvas.clientWidth / 2;
    this.#tip.style.left = right ? 'auto' : `${event.offsetX + 14}px`;
    this.#tip.style.right = right ? `${this.#canvas.clientWidth - event.offsetX + 14}px` : 'auto';
    this.#tip.style.top = `${event.offsetY + 8}px`;
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#draw();
    });
  }

  #draw(): void {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    const pixels = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(width * pixels), Math.round(height * pixels)];
    const context = canvas.getContext('2d')!;
    context.scale(pixels, pixels);
    const scale = this.#scale(width, height);
    const radius = Math.max(1.5, Math.min(6, 60 / Math.sqrt(this.#points.length))) * Math.min(2, Math.sqrt(this.#view.zoom));
    for (const isShown of [false, true]) {
      context.globalAlpha = isShown ? 0.85 : 0.12;
      this.#points.forEach(({ x, y }, i) => {
        if (this.#isShown[i] !== isShown) return;
        context.fillStyle = groupColours[this.#data.points[i]!.group % groupColours.length]!;
        context.beginPath();
        context.arc(width / 2 + (x - this.#view.x) * scale, height / 2 + (y - this.#view.y) * scale, radius, 0, 2 * Math.PI);
        context.fill();
      });
    }
  }
}
