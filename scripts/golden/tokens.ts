import type { Encoding, Tokenizer } from '../../src/tokenizer/index.js';
import type { GoldenSequence, TinyCase } from './files.js';
import type { Report } from './report.js';

/** The reference's length of question-answering windows, and what two neighbours share. */
const kLongestWindow = 384;
const kLargestStride = 128;

/** The case as this tokenizer encodes it: one encoding, one a choice, or one a window. */
export function encodeCase(tokenizer: Tokenizer, maxLength: number, task: string, golden: TinyCase): Encoding[] {
  const { text, text_pair: pair, choices } = golden;
  if (task === 'question-answering') {
    const length = Math.min(maxLength, kLongestWindow);
    const stride = Math.min(Math.floor(length / 2), kLargestStride);
    const first = tokenizer.encode(text, { pair, truncation: 'only_second', maxLength: length, stride, offsets: true });
    return [first, ...first.overflowing];
  }
  const second: readonly (string | undefined)[] = choices ?? [pair];
  return second.map((other) => tokenizer.encode(text, { pair: other, truncation: true, maxLength, offsets: true }));
}

/** Compares ids, type ids, tokens and offsets of one sequence. `texts` are what the offsets point into. */
export function compareSequence(
  report: Report,
  name: string,
  actual: Encoding | undefined,
  expected: GoldenSequence,
  texts: readonly string[],
): void {
  report.sequences++;
  if (actual === undefined) {
    report.failures.push(`${name}: expected a sequence but received none`);
    return;
  }
  report.compareEqual(`${name} ids`, Array.from(actual.ids), expected.input_ids);
  report.compareEqual(`${name} tokens`, actual.tokens, expected.tokens);
  if (expected.token_type_ids !== undefined) {
    report.compareEqual(`${name} type ids`, Array.from(actual.typeIds), expected.token_type_ids);
  }
  report.compareEqual(`${name} offsets`, codePointOffsets(actual, texts), expected.offsets);
}

/** Offsets in code points, as the reference counts, from those in UTF-16 units. */
function codePointOffsets(encoding: Encoding, texts: readonly string[]): [number, number][] {
  const counts = texts.map(codePointCounts);
  return Array.from(encoding.ids, (_, token) => {
    const count = counts[encoding.sequenceIds[token] ?? 0]!;
    return [count[encoding.offsets![2 * token]!]!, count[encoding.offsets![2 * token + 1]!]!];
  });
}

/** [units + 1]: how many code points begin before each UTF-16 unit. */
export function codePointCounts(text: string): Int32Array {
  const counts = new Int32Array(text.length + 1);
  let points = 0;
  for (let unit = 0; unit < text.length;) {
    const width = text.codePointAt(unit)! > 0xffff ? 2 : 1;
    counts.fill(points, unit, unit + width);
    points++;
    unit += width;
  }
  counts[text.length] = points;
  return counts;
}
