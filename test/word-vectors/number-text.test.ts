import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadWordVectors } from '../../src/word-vectors/index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const t = suite('numbers in texts of vectors');
const folder = mkdtempSync(join(tmpdir(), 'bertha-numbers-'));
t.after(() => rmSync(folder, { recursive: true }));

/** What a text of vectors makes of decimal numbers, `columns` a line. */
async function read(numbers: readonly string[], columns: number): Promise<ArrayLike<number>> {
  const lines = Array.from({ length: numbers.length / columns }, (_, i) =>
    [`w${i}`, ...numbers.slice(i * columns, (i + 1) * columns)].join(' '),
  );
  const path = join(folder, 'numbers.vec');
  writeFileSync(path, `${lines.length} ${columns}\n${lines.join('\n')}\n`);
  return (await (await loadWordVectors(path)).toMatrix()).data;
}

function compare(got: ArrayLike<number>, expected: readonly number[], numbers: readonly string[]): void {
  const wrong = numbers.filter((_, i) => !Object.is(got[i], expected[i]));
  assert.equal(wrong, []);
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
function floatOf(pattern: number): number {
  bits[0] = pattern;
  return float[0]!;
}

t('are rounded to float32 as JavaScript does, in any way of writing them', async () => {
  const random = new Random(7);
  const numbers: string[] = [];
  while (numbers.length < 40_000) {
    const value = floatOf(random.integer(0, 2 ** 32 - 1));
    if (!Number.isFinite(value) || Math.abs(value) > 3e38) continue;
    // With 53 drawn bits: JavaScript rounds twice, which is wrong for a double in the middle of two float32.
    const small = (random.next() - 0.5 + random.next() * 2 ** -32) * 10 ** random.integer(0, 5);
    const digits = random.integer(1, 17);
    numbers.push(String(value), value.toExponential(), small.toPrecision(digits), String(Math.fround(small)), small.toFixed(digits));
  }
  compare(
    await read(numbers, 25),
    numbers.map((text) => Math.fround(Number(text))),
    numbers,
  );
});

t('in the middle of two float32 go to the even one, and above or below it to the nearer', async () => {
  const random = new Random(8);
  const [numbers, expected]: [string[], number[]] = [[], []];
  while (numbers.length < 6_000) {
    const pattern = (random.integer(108, 147) << 23) + random.integer(0, 2 ** 23 - 1);
    const [low, high] = [floatOf(pattern), floatOf(pattern + 1)];
    const middle = ((low + high) / 2).toPrecision(60).replace(/0+$/, '');
    numbers.push(middle, `-${middle}`, `${middle}0000001`, `${middle.slice(0, -1)}${Number(middle.at(-1)) - 1}9`);
    const even = pattern % 2 === 0 ? low : high;
    expected.push(even, -even, high, low);
  }
  compare(await read(numbers, 20), expected, numbers);
});

t('may have signs, points at either end, zeros and exponents; what is beyond float32 is refused', async () => {
  const numbers = ['+1.5', '-0', '.25', '3.', '0.0000000000000000000000000000001', '1e-46', '00000000000000000000012.5', '1E+2'];
  compare(
    await read(numbers, numbers.length),
    numbers.map((text) => Math.fround(Number(text))),
    numbers,
  );
  for (const text of ['1e39', '1e', '1e+', '0x10', '1,5', 'nan', 'inf', '-', '.', '1.5.2', '12345678x']) {
    const error: unknown = await read(['0.5', text], 2).catch((caught: unknown) => caught);
    assert.is((error as { code?: string }).code, 'VECTORS_FORMAT', text);
  }
});

t.run();
