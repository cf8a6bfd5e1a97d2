// The inner loops of a compiled kernel, as objdump lists them.
import { execFileSync } from 'node:child_process';

const backwardJump = {
  objdump: /^j\w+\s+([0-9a-f]+)/,
  'aarch64-linux-gnu-objdump': /^(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\w+,)\s*([0-9a-f]+)/,
};

/** The instructions of every function of an object file: name → [{ address, text }]. */
export function disassemble(objdump, file) {
  const listing = execFileSync(objdump, ['-dC', '--no-show-raw-insn', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const functions = new Map();
  let current = [];
  for (const line of listing.split('\n')) {
    const header = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (header) {
      current = [];
      functions.set(header[1], current);
      continue;
    }
    const instruction = /^\s*([0-9a-f]+):\s+(.*)$/.exec(line);
    if (instruction) current.push({ address: parseInt(instruction[1], 16), text: instruction[2].replace('\t', ' ') });
  }
  return functions;
}

/** Of backward jumps the shortest span that holds the most products: { loop, products }, or undefined. */
export function hotLoop(objdump, code, product) {
  let best;
  for (const [end, { address, text }] of code.entries()) {
    const jump = backwardJump[objdump].exec(text);
    if (!jump) continue;
    const target = parseInt(jump[1], 16);
    if (target >= address) continue;
    const start = code.findIndex((each) => each.address >= target);
    const loop = code.slice(start, end);
    const products = loop.filter((each) => product.test(each.text)).length;
    if (products === 0) continue;
    if (best === undefined || products > best.products || (products === best.products && loop.length < best.loop.length))
      best = { loop, products };
  }
  return best;
}

/** The first function whose name contains a string, or matches an expression. */
export function findFunction(functions, name) {
  const matches = typeof name === 'string' ? (each) => each.includes(name) : (each) => name.test(each);
  return [...functions].find(([each]) => matches(each))?.[1];
}

const fp32 = (rows) => `compute_tile<float, ${rows}, 4, ${{ 1: '4, 1', 2: '2, 1' }[rows] ?? '1, 0'}>`;
const int8 = (format, rows) => new RegExp(`int8_tile<.*::${format}, ${rows}, false>`);

/** NEON's tiles: object, function (as c++filt writes it), what it is called here, and the product's instruction. */
export const neonKernels = [
  ...[1, 2, 3, 4, 5, 6].map((rows) => ['kernels_neon.o', fp32(rows), `fp32, ${rows} rows`, /^fmla/]),
  ['kernels_neon.o', /compute_tile<.*Half, 6, 4, 1, 0>/, 'fp16-weights, 6 rows', /^fmla/],
  ...[4, 6].map((rows) => ['training_neon.o', `add_transposed_tile<${rows}, 4>`, `fp32, gradient of a weight, ${rows} columns`, /^fmla/]),
  ...[4, 6].map((rows) => ['kernels_neon.o', int8('PairInt8', rows), `int8 by SMULL, ${rows} rows`, /^sadalp/]),
  ...[4, 8].map((rows) => ['int8_neon_dotprod.o', int8('DotInt8', rows), `int8 by SDOT, ${rows} rows`, /^sdot/]),
  ...[4, 8].map((rows) => ['int8_neon_i8mm.o', int8('BlockInt8', rows), `int8 by USMMLA, ${rows} rows`, /^usmmla/]),
  ...[4, 8].map((rows) => ['bf16_neon.o', `bf16_tile<${rows}, 2, false>`, `bf16 by BFMMLA, ${rows} rows`, /^bfmmla/]),
].map(([object, name, label, product]) => ({ object: `neon/${object}`, name, label, product }));
