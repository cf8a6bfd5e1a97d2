import { invalid, type RequestError } from './failures.js';

/** What Ajv reports of a body, with what it looked at. */
export interface ValidationProblem {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly parentSchema?: { readonly description?: string; readonly properties?: object };
  readonly data?: unknown;
}

/** Says in one sentence what a body should have been: of several problems the one about the largest part, and of a list the first item that is wrong. */
export function explainValidation(problems: readonly ValidationProblem[]): RequestError {
  const problem = [...problems].sort((a, b) => depthOf(a) - depthOf(b) || rankOf(a) - rankOf(b))[0]!;
  const { keyword, instancePath, params, parentSchema } = problem;
  const where = instancePath === '' ? 'the body' : instancePath.slice(1).replaceAll('/', '.');
  const param = instancePath === '' ? undefined : instancePath.split('/')[1];
  if (keyword === 'required') {
    const name = String(params['missingProperty']);
    return invalid(`Expected ${name} in ${where} but it is missing.`, name);
  }
  if (keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    const known = Object.keys(parentSchema?.properties ?? {});
    const meant = known.find((each) => distance(each, name) <= 2);
    const hint = meant === undefined ? `Known: ${known.join(', ')}.` : `Did you mean ${meant}?`;
    return invalid(`Expected a known field of ${where} but received ${JSON.stringify(name)}. ${hint}`, name, 'INVALID_OPTION');
  }
  const wanted = parentSchema?.description ?? problem.message ?? 'another value';
  const odd = oddItem(problem.data);
  if (odd !== undefined)
    return invalid(`Expected ${wanted} for ${where} but the item at index ${odd} is ${received(problem.data, odd)}.`, param);
  return invalid(`Expected ${wanted} for ${where} but received ${describe(problem.data)}.`, param);
}

const depthOf = ({ instancePath }: ValidationProblem): number => instancePath.split('/').length;
/** `anyOf` sums up what its branches report beside it. */
const rankOf = ({ keyword }: ValidationProblem): number => (keyword === 'anyOf' ? 0 : keyword === 'required' ? 2 : 1);

/** The first item of a list that is not of the kind of the first, or of no kind that any list may have; undefined where the list itself is wrong. */
function oddItem(value: unknown): number | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const kinds = value.map(kindOf);
  const odd = kinds.findIndex((kind) => kind === 'other' || kind !== kinds[0]);
  return odd < 0 ? undefined : odd;
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (Number.isInteger(value) && (value as number) >= 0) return 'id';
  return Array.isArray(value) && value.every((each) => Number.isInteger(each) && (each as number) >= 0) ? 'ids' : 'other';
}

function received(list: unknown, index: number): string {
  return describe((list as readonly unknown[])[index]);
}

/** A value's kind, and the value itself where it is short and no text: texts of requests appear nowhere. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  return typeof value === 'string' ? 'a string' : `a value of type ${typeof value}`;
}

/** Edits between two names, up to 3. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
