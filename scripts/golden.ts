// Compares this engine with reference values: a line a model, exit code 1 when any of them fails or is not supported.
//   npm run golden -- [DIR...] [--tolerance 1e-5] [--minilm DIR] [--device cuda]
// DIR is a folder in the layout of test/golden (the default), or any folder of it. test/golden/README.md explains the files.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../src/runtime/addon.js';
import type { LoadModelOptions } from '../src/models/model.js';
import { compareFolder, kTolerance } from './golden/compare.js';
import { findGoldenFolders } from './golden/files.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tolerance: { type: 'string', default: String(kTolerance) }, minilm: { type: 'string' }, device: { type: 'string' } },
});
const tolerance = Number(values.tolerance);
if (!(tolerance > 0)) throw new Error(`Expected a number above 0 for --tolerance but received ${values.tolerance}.`);
const roots = positionals.length > 0 ? positionals : [fileURLToPath(new URL('../test/golden', import.meta.url))];

const counts = { ok: 0, FAILED: 0, unsupported: [] as string[] };
process.stdout.write(`${loadAddon().isa().chosen}, tolerance ${tolerance} of max(1, |expected|)\n`);
for (const root of roots) {
  const folders = existsSync(root) ? findGoldenFolders(root) : [];
  if (folders.length === 0) {
    process.stdout.write(`${root}: expected folders with cases.json and expected.safetensors but received none\n`);
    counts.FAILED++;
  }
  for (const folder of folders) {
    const report = await compareFolder(folder, { tolerance, minilm: values.minilm, device: values.device as LoadModelOptions['device'] });
    process.stdout.write(`${report}\n`);
    if (report.verdict === 'unsupported') counts.unsupported.push(report.name);
    else counts[report.verdict]++;
  }
}
const unsupported = counts.unsupported.length > 0 ? `, ${counts.unsupported.length} not supported: ${counts.unsupported.join(', ')}` : '';
process.stdout.write(`${counts.ok} ok, ${counts.FAILED} failed${unsupported}\n`);
process.exitCode = counts.FAILED > 0 || counts.unsupported.length > 0 ? 1 : 0;
