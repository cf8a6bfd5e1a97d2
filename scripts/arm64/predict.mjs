// What llvm-mca predicts for NEON's hot loops, as a share of the products' own peak on the same model: a table for docs/adr/0020-neon.md.
//   node scripts/arm64/predict.mjs [OBJECTS]     LLVM_MCA names the program (default llvm-mca-19; older ones have no models of these processors)
// It knows pipes, latencies and dependences; caches, prefetching and branches it does not. Nothing here measures a processor.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { inRoot } from '../build/project.mjs';
import { disassemble, findFunction, hotLoop, neonKernels } from './hot-loops.mjs';

const objdump = 'aarch64-linux-gnu-objdump';
const folder = path.join(process.argv[2] ?? inRoot('build-arm64', 'objects'), 'native', 'cpu', 'isa');
const processors = ['neoverse-n1', 'neoverse-v1', 'neoverse-n2', 'neoverse-v2'];
const iterations = 200;

/** Cycles of one round of some instructions on a model; NaN where the processor has not all of them. */
function cycles(processor, instructions) {
  const args = ['-mtriple=aarch64', `-mcpu=${processor}`, `-iterations=${iterations}`, '-all-views=false', '-summary-view'];
  const { stdout, stderr, error } = spawnSync(process.env.LLVM_MCA || 'llvm-mca-19', args, {
    encoding: 'utf8',
    input: `${instructions.join('\n')}\n`,
  });
  if (error) throw new Error(`Expected llvm-mca 19 (Debian: apt-get install llvm-19) but ${error.message}`);
  const found = /^Total Cycles:\s+(\d+)/m.exec(stdout);
  if (found) return Number(found[1]) / iterations;
  if (/requires:/.test(stderr)) return NaN;
  throw new Error(stderr);
}

/** What a product costs by itself, on independent registers; by SMULL it is three instructions. */
function peakCycles(processor, code, product) {
  const parts = product.source === '^sadalp' ? [/^smull /, /^smlal /, product] : [product];
  const texts = parts.map((part) => code.find((text) => part.test(text)));
  const copies = Array.from({ length: 24 }, (_, i) => {
    const registers = [`v${i}`, 'v30', 'v31'];
    return texts[i % texts.length].replace(/\bv\d+/g, () => registers.shift());
  });
  return (cycles(processor, copies) / copies.length) * texts.length;
}

console.log(`| loop | instructions | products | ${processors.join(' | ')} |`);
console.log(`|---|---|---|${processors.map(() => '---').join('|')}|`);
const listings = new Map();
for (const { object, name, label, product } of neonKernels) {
  if (!listings.has(object)) listings.set(object, disassemble(objdump, path.join(folder, object)));
  const { loop, products } = hotLoop(objdump, findFunction(listings.get(object), name), product);
  const code = loop.map(({ text }) => text.replace(/\s*(\/\/|<).*/, ''));
  const shares = processors.map((processor) => {
    const share = (products * peakCycles(processor, code, product)) / cycles(processor, code);
    return Number.isNaN(share) ? 'none' : `${Math.round(share * 100)} %`;
  });
  console.log(`| ${label} | ${loop.length} | ${products} | ${shares.join(' | ')} |`);
}
