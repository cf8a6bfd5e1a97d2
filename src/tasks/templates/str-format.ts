import { BerthaError } from '../../errors.js';

/**
 * Python's `template.format(text)`: `{}`, `{0}`, `{0[2]}`, `{!r}`, `{:>10}`, `{:.3}`, doubled braces. Lengths and indices count code points.
 *
 * Errors: INVALID_OPTION with Python's reason, wherever Python raises; attributes (`{0.upper}`) as well.
 */
export function strFormat(template: string, text: string): string {
  return expand(Array.from(template), text, { next: 0 }, 2);
}

/** Whether fields are numbered by their order or by themselves; a template may not do both. */
interface Numbering {
  next: number;
  isManual?: boolean;
}

function expand(template: readonly string[], text: string, numbering: Numbering, depth: number): string {
  if (depth === 0) throw invalid('Max string recursion exceeded');
  let output = '';
  for (let i = 0; i < template.length; i++) {
    const char = template[i]!;
    if (char !== '{' && char !== '}') {
      output += char;
    } else if (template[i + 1] === char) {
      output += char;
      i++;
    } else if (char === '}' || i + 1 === template.length) {
      throw invalid(`Single '${char}' encountered in format string`);
    } else {
      const end = fieldEnd(template, i + 1);
      output += expandField(template.slice(i + 1, end), text, numbering, depth);
      i = end;
    }
  }
  return output;
}

/** Where the field that begins at `begin` is closed; braces within brackets do not count. */
function fieldEnd(template: readonly string[], begin: number): number {
  let open = 1;
  let isIndex = false;
  for (let i = begin; i < template.length; i++) {
    const char = template[i]!;
    if (char === '[') isIndex = true;
    else if (char === ']') isIndex = false;
    else if (isIndex) continue;
    else if (char === '{') open++;
    else if (char === '}' && --open === 0) return i;
  }
  throw invalid("expected '}' before end of string");
}

function expandField(field: readonly string[], text: string, numbering: Numbering, depth: number): string {
  const nameEnd = field.findIndex((char, i) => (char === '!' || char === ':') && !isInBrackets(field, i));
  const name = (nameEnd < 0 ? field : field.slice(0, nameEnd)).join('');
  let rest = nameEnd < 0 ? [] : field.slice(nameEnd);
  let value = lookUp(name, text, numbering);
  if (name.includes('{') || name.includes('}')) throw invalid("unexpected '{' in field name");
  if (rest[0] === '!') {
    if (rest[1] === undefined) throw invalid("unmatched '{' in format spec");
    value = convert(value, rest[1]);
    if (rest[2] !== undefined && rest[2] !== ':') throw invalid("expected ':' after conversion specifier");
    rest = rest.slice(2);
  }
  const spec = rest.slice(1);
  return formatString(value, spec.some((char) => char === '{' || char === '}') ? expand(spec, text, numbering, depth - 1) : spec.join(''));
}

function isInBrackets(field: readonly string[], index: number): boolean {
  const before = field.slice(0, index);
  return before.lastIndexOf('[') > before.lastIndexOf(']');
}

function lookUp(name: string, text: string, numbering: Numbering): string {
  const [, argument, access] = /^([^.[]*)(.*)$/s.exec(name)!;
  if (argument !== '' && !/^\d+$/.test(argument!)) throw invalid(`KeyError: '${argument}'`);
  const isManual = argument !== '';
  if (numbering.isManual !== undefined && numbering.isManual !== isManual)
    throw invalid('cannot switch between manual field specification and automatic field numbering');
  numbering.isManual = isManual;
  if ((isManual ? Number(argument) : numbering.next++) !== 0) throw invalid('Replacement index out of range for positional args tuple');
  let value = text;
  for (let rest = access!; rest !== '';) {
    const index = /^\[(\d+)\]/.exec(rest);
    const char = index === null ? undefined : Array.from(value)[Number(index[1])];
    if (char === undefined) throw invalid(`a label has no ${rest}`);
    value = char;
    rest = rest.slice(index![0].length);
  }
  return value;
}

function convert(value: string, conversion: string): string {
  if (conversion === 's') return value;
  if (conversion === 'r') return repr(value);
  if (conversion === 'a') return repr(value).replace(/[^\0-\x7f]/gu, escapeCodePoint);
  throw invalid(`Unknown conversion specifier ${conversion}`);
}

/** Python's literal for a string. */
function repr(value: string): string {
  const mark = value.includes("'") && !value.includes('"') ? '"' : "'";
  const names: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', "'": mark === "'" ? "\\'" : "'" };
  return mark + value.replace(/[\\']|(?! )[\p{C}\p{Z}]/gu, (char) => names[char] ?? escapeCodePoint(char)) + mark;
}

function escapeCodePoint(char: string): string {
  const code = char.codePointAt(0)!;
  const digits = code.toString(16);
  return code < 0x100
    ? `\\x${digits.padStart(2, '0')}`
    : code < 0x10000
      ? `\\u${digits.padStart(4, '0')}`
      : `\\U${digits.padStart(8, '0')}`;
}

/** `format(value, spec)` of a string: fill, alignment, width and precision. */
function formatString(value: string, spec: string): string {
  if (spec === '') return value;
  const match =
    /^(?:(?<fill>[^])?(?<align>[<>=^]))?(?<flags>[-+ ]?z?#?)(?<zero>0)?(?<width>\d+)?(?<grouping>[,_]*)(?:\.(?<precision>\d+))?(?<type>[^]?)$/u.exec(
      spec,
    );
  if (match === null) throw invalid(`Invalid format specifier '${spec}'`);
  const { fill, align, flags, zero, width = '0', grouping, precision, type } = match.groups!;
  const isString = type === '' || type === 's';
  if (!isString || align === '=' || flags !== '' || grouping !== '') throw invalid(`'${spec}' is no format of a string`);
  const size = Number(width);
  if (size > kWidest) throw invalid(`more than ${kWidest} characters`);
  const kept = Array.from(value).slice(0, precision === undefined ? undefined : Number(precision));
  const room = Math.max(0, size - kept.length);
  const left = align === '>' ? room : align === '^' ? Math.floor(room / 2) : 0;
  const pad = fill ?? (zero === undefined ? ' ' : '0');
  return pad.repeat(left) + kept.join('') + pad.repeat(room - left);
}

/** Python has no such limit; a model reads no more anyway. */
const kWidest = 1 << 20;

function invalid(reason: string): BerthaError {
  return new BerthaError(
    'INVALID_OPTION',
    `Expected a template that Python's str.format reads for the option hypothesisTemplate but received: ${reason}.`,
  );
}
