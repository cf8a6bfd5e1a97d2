/** A value of an attribute. Functions are listeners, which markup leaves out; names that start with `--` are custom properties of the style. */
export type Attribute = string | number | boolean | undefined | ((event: never) => void);

/** An element of a page or a picture, before it is markup or a node of a document. */
export interface TreeElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly children: readonly TreeNode[];
}

export type TreeNode = TreeElement | string;

/** What may stand among children: lists are spread, `undefined` and `false` are left out. */
export type Child = TreeNode | undefined | false | readonly Child[];

/** An element with its children. */
export function el(tag: string, attributes: Readonly<Record<string, Attribute>> = {}, ...children: readonly Child[]): TreeElement {
  return { tag, attributes, children: flat(children) };
}

function flat(children: readonly Child[]): TreeNode[] {
  return children.flatMap((child): TreeNode[] => {
    if (child === undefined || child === false) return [];
    return Array.isArray(child) ? flat(child as readonly Child[]) : [child as TreeNode];
  });
}

/** Controls, halves of surrogate pairs, and what turns the direction of a line: nobody would see that they are there. */
const kUnseen = /(?![\n\t])[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

/** A text with every unseen character shown as U+FFFD. */
export function shown(text: string): string {
  return text.replace(kUnseen, '\u{fffd}');
}

/** A label of a picture, kept from turning around what stands beside it: SVG has no dir="auto". */
export function isolated(text: string): string {
  return `\u2068${shown(text)}\u2069`;
}

/** Cuts a text to so many code points. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const points = Array.from(text);
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}

const kEmpty = new Set(['meta', 'link', 'br', 'input']);
const kEntities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A text as it stands in markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => kEntities[c]!);
}

/** HTML or SVG; `translate` may change an element's attributes on the way. */
export function toMarkup(
  node: TreeNode,
  translate: (element: TreeElement) => TreeElement['attributes'] = ({ attributes }) => attributes,
): string {
  if (typeof node === 'string') return escaped(node);
  const attributes = Object.entries(translate(node)).map(([name, value]) => {
    if (value === undefined || value === false || typeof value === 'function' || name.startsWith('--')) return '';
    return value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`;
  });
  const opened = `<${node.tag}${attributes.join('')}>`;
  if (kEmpty.has(node.tag)) return opened;
  return `${opened}${node.children.map((child) => toMarkup(child, translate)).join('')}</${node.tag}>`;
}
