// Reads the machine code of the hot loops: npm run check:asm   (needs objdump; run `npm run build` first)
//
// A register tile that does not fit the registers, or whose panel loads are folded into every FMA, is still correct and 30 to 60 %
// slower; nothing but the machine code shows it. For each kernel this finds the innermost loop that holds its products and counts vector
// operands on the stack (spills) and products that read memory. Memory operands matter for AVX2's fp32 tiles, where two loads a cycle
// are the limit; broadcasts from memory are how AVX-512 reads its inputs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './build/project.mjs';

const objects = inRoot('build', 'Release', 'obj.target', 'bertha_core', 'native', 'cpu', 'isa');

// Object, function (as c++filt writes it), the product's instruction, the spills a loop may hold as a share of its products, and its
// products with a memory operand. One row on AVX2 is bound by L2, where two spills cost nothing; int8 under g++ 12 spills a few of its
// sums whatever the shape, and still reaches 92 % of clang.
const kernels = [
  ...[1, 2, 3, 4, 5, 6].map((rows) => fp32('kernels_avx2.o', rows, 2, 0)),
  ...[4, 5, 6, 7, 8].map((rows) => fp32('kernels_avx512.o', rows, 3, Infinity)),
  ...[4, 6].map((rows) => gradWeight('training_avx2.o', rows, 2, 0)),
  ...[4, 8].map((rows) => gradWeight('training_avx512.o', rows, 3, Infinity)),
  ...[4, 8].map((rows) => bf16(rows, 'PairsByInstruction', /vdpbf16ps/)),
  ...[4, 8].map((rows) => bf16(rows, 'PairsByFma', /vfmadd\d+ps/)),
  gradWeight('training_bf16_avx512.o', 8, 3, Infinity),
  ...[4, 8].map((rows) => int8('int8_avx512_vnni.o', rows, /vpdpbusd/)),
  ...[4, 6].map((rows) => int8('int8_avx_vnni.o', rows, /vpdpbusd/)),
  ...[4, 5].map((rows) => int8('kernels_avx2.o', rows, /vpmaddubsw/, 'PairInt8')),
];

function fp32(object, rows, vectors, memory) {
  const panels = rows === 1 ? 4 : rows === 2 ? 2 : 1;
  const lines = vectors === 2 ? 1 : 3; // cache lines of one step of a panel, prefetched where one tile takes all rows
  return {
    object,
    name: `compute_tile<float, ${rows}, ${vectors}, ${panels}, ${panels === 1 ? 0 : lines}>`,
    product: /vfmadd\d+ps/,
    spills: rows === 1 ? 0.25 : 0,
    memory: rows === 1 ? Infinity : memory,
  };
}

function bf16(rows, pairs, product) {
  return { object: 'bf16_avx512.o', name: new RegExp(`bf16_tile<${rows}, 3, false, .*::${pairs}>`), product, spills: 0, memory: Infinity };
}

function gradWeight(object, rows, vectors, memory) {
  return { object, name: `add_transposed_tile<${rows}, ${vectors}>`, product: /vfmadd\d+ps/, spills: 0, memory };
}

function int8(object, rows, product, format = 'DotInt8') {
  return { object, name: new RegExp(`int8_tile<.*::${format}<.*>, ${rows}, false>`), product, spills: 0.25, memory: Infinity };
}

/** The instructions of every function of an object: name → [{ address, text }]. */
function disassemble(object) {
  const file = path.join(objects, object);
  if (!existsSync(file)) throw new Error(`Expected ${path.relative(inRoot(), file)} but found none: run npm run build first.`);
  const listing = execFileSync('objdump', ['-dC', '--no-show-raw-insn', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
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
    if (instruction) current.push({ address: parseInt(instruction[1], 16), text: instruction[2] });
  }
  return functions;
}

/** The shortest backward jump's span that holds the most products. */
function hotLoop(code, product) {
  let best;
  for (const [end, { address, text }] of code.entries()) {
    const jump = /^j\w+\s+([0-9a-f]+)/.exec(text);
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

const listings = new Map();
let failures = 0;
console.log('kernel                                              instructions  products  spills  memory products');
for (const { object, name, product, spills, memory } of kernels) {
  if (!listings.has(object)) listings.set(object, disassemble(object));
  const matches = typeof name === 'string' ? (each) => each.includes(name) : (each) => name.test(each);
  const found = [...listings.get(object)].find(([each]) => matches(each));
  const hot = found === undefined ? undefined : hotLoop(found[1], product);
  const label =
    `${object.replace('.o', '')} ${typeof name === 'string' ? name : name.source.replace('.*::', '').replace(', false', '')}`.padEnd(54);
  if (hot === undefined) {
    console.log(`${label} not found`);
    failures++;
    continue;
  }
  const stack = hot.loop.filter(({ text }) => /\(%r[sb]p/.test(text) && /%[xyz]mm/.test(text)).length;
  const folded = hot.loop.filter(({ text }) => product.test(text) && text.includes('(')).length;
  const bad = stack > spills * hot.products || folded > memory;
  if (bad) failures++;
  const numbers = [hot.loop.length, hot.products, stack, folded].map((n, i) => String(n).padStart([9, 9, 7, 12][i])).join(' ');
  console.log(`${label}${numbers}${bad ? '   too many' : ''}`);
}
if (failures > 0) {
  console.error(`${failures} of ${kernels.length} hot loops spill or read memory where they must not.`);
  process.exitCode = 1;
}
