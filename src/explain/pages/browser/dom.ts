import { shown, type TreeElement, type TreeNode } from '../view/tree.js';

const kSvg = 'http://www.w3.org/2000/svg';

/** A tree as nodes of the document. Texts become text nodes, in pictures as they are, for their labels are isolated already; custom properties are set on the style object, which the page's policy allows. */
export function toDom(node: TreeNode, isPicture = false): Node {
  if (typeof node === 'string') return document.createTextNode(isPicture ? node : shown(node));
  return elementOf(node, isPicture);
}

function elementOf({ tag, attributes, children }: TreeElement, isPicture: boolean): HTMLElement {
  const inPicture = isPicture || tag === 'svg';
  const element = (inPicture ? document.createElementNS(kSvg, tag) : document.createElement(tag)) as HTMLElement;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (name.startsWith('--')) element.style.setProperty(name, String(value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) element.append(toDom(child, inPicture));
  return element;
}

/** An element of the document that a tree describes. */
export function make<E extends Element = HTMLElement>(tree: TreeElement): E {
  return elementOf(tree, false) as unknown as E;
}

/** Puts trees, or elements, in the place of what an element holds. */
export function put(place: Element, ...nodes: readonly (TreeNode | Node)[]): void {
  place.replaceChildren(...nodes.map((node) => (typeof node === 'object' && 'nodeType' in node ? node : toDom(node))));
}

/**
 * Makes elements one stop of the Tab key: arrows, Home and End move between them, with `columns` up and down too. `choose` hears of every one that is moved
 * to or clicked.
 */
export function roving(elements: readonly HTMLElement[], columns: number | undefined, choose: (index: number) => void, at = 0): void {
  elements.forEach((element, i) => (element.tabIndex = i === at ? 0 : -1));
  let current = at;
  const go = (index: number, isFocused: boolean): void => {
    if (index < 0 || index >= elements.length) return;
    elements[current]!.tabIndex = -1;
    current = index;
    elements[current]!.tabIndex = 0;
    if (isFocused) elements[current]!.focus();
    choose(index);
  };
  elements.forEach((element, i) => {
    element.addEventListener('click', () => go(i, false));
    element.addEventListener('keydown', (event) => {
      const back = getComputedStyle(element).direction === 'rtl' ? 1 : -1;
      const row = columns ?? 1;
      const moves: Readonly<Record<string, number>> = {
        ArrowLeft: back,
        ArrowRight: -back,
        ArrowUp: -row,
        ArrowDown: row,
        Home: -i,
        End: elements.length - 1 - i,
      };
      const move = moves[event.key];
      if (event.key === 'Enter' || event.key === ' ') choose(i);
      else if (move === undefined) return;
      else go(i + move, true);
      event.preventDefault();
    });
  });
}

/** The bytes of base64 of raw deflate. */
export function unpack(text: string): Promise<Uint8Array> {
  return inflated(new Blob([bytesOf(text)]));
}

/** The bytes of raw deflate. */
export async function inflated(bytes: Blob): Promise<Uint8Array> {
  const stream = bytes.stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The bytes of base64. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
