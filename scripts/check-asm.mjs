// Reads the machine code of the hot loops: npm run check:asm   (needs objdump; run `npm run build` first)
//   npm run check:asm -- --arm64: of the cross compiler's objects (run `npm run check:arm64` first); FOLDER behind it: of other objects.
//
// A register tile that does not fit the registers, or whose panel loads are folded into every FMA, is still correct and 30 to 60 %
// slower; nothing but the machine code shows it. For each kernel this finds the innermost loop that holds its products and counts vector
// operands on the stack (spills) and products that read memory. Memory operands matter for AVX2's fp32 tiles, where two loads a cycle
// are the limit; broadcasts from memory are how AVX-512 reads its inputs.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { disassemble, findFunction, hotLoop, neonKernels } from './arm64/hot-loops.mjs';
import { inRoot } from './build/project.mjs';

const isArm64 = process.argv[2] === '--arm64';
const ownObjects = isArm64 ? ['build-arm64', 'objects'] : ['build', 'Release', 'obj.target', 'bertha_core'];
const objects = path.join(process.argv[3] ?? inRoot(...ownObjects), 'native', 'cpu', 'isa');
const objdump = isArm64 ? 'aarch64-linux-gnu-objdump' : 'objdump';
/** A vector register that is loaded from or stored to the stack. */
const isSpill = isArm64
  ? (text) => /\[sp\b/.test(text) && /^\w+\s+\{?[qvd]\d/.test(text)
  : (text) => /\(%r[sb]p/.test(text) && /%[xyz]mm/.test(text);

// Object, function (as c++filt writes it), the product's instruction, the spills a loop may hold as a share of its products, and its
// products with a memory operand. One row on AVX2 is bound by L2, where two spills cost nothing; int8 under g++ 12 spills a few of its
// sums whatever the shape, and still reaches 92 % of clang.
const x64Kernels = [
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

// No vector operand of these loops is on the stack.
const arm64Kernels = neonKernels.map((kernel) => ({ ...kernel, spills: 0, memory: Infinity }));
const kernels = isArm64 ? arm64Kernels : x64Kernels;

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

function objectFile(object) {
  const file = path.join(objects, object);
  if (existsSync(file)) return file;
  throw new Error(`Expected ${path.relative(inRoot(), file)} but found none: run npm run ${isArm64 ? 'check:arm64' : 'build'} first.`);
}

const listings = new Map();
let failures = 0;
console.log('kernel                                              instructions  products  spills  memory products');
for (const { object, name, label, product, spills, memory } of kernels) {
  if (!listings.has(object)) listings.set(object, disassemble(objdump, objectFile(object)));
  const found = findFunction(listings.get(object), name);
  const hot = found === undefined ? undefined : hotLoop(objdump, found, product);
  const own = label ?? (typeof name === 'string' ? name : name.source.replace('.*::', '').replace(', false', ''));
  const line = `${object.replace('.o', '')} ${own}`.padEnd(54);
  if (hot === undefined) {
    console.log(`${line} not found`);
    failures++;
    continue;
  }
  const stack = hot.loop.filter(({ text }) => isSpill(text)).length;
  const folded = hot.loop.filter(({ text }) => product.test(text) && text.includes('(')).length;
  const bad = stack > spills * hot.products || folded > memory;
  if (bad) failures++;
  const numbers = [hot.loop.length, hot.products, stack, folded].map((n, i) => String(n).padStart([9, 9, 7, 12][i])).join(' ');
  console.log(`${line}${numbers}${bad ? '   too many' : ''}`);
}
if (failures > 0) {
  console.error(`${failures} of ${kernels.length} hot loops spill or read memory where they must not.`);
  process.exitCode = 1;
}
