// Accuracy of every precision on every instruction set of this machine: cosines of a thousand texts' vectors to float32's, and STS-B dev.
//   npm run accuracy -- [--model DIR] [--json FILE] [--isa NAME...]
// Without --isa: all but the portable kernels, which take ten minutes.
// Texts and STS-B come from BERTHA_SHARED (../shared). With onnxruntime-node installed in bench/, its int8 file is a row too.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CALIBRATION_FILE } from '../src/checkpoint/calibration.js';
import { loadEmbedder, systemInfo, type LoadEmbedderOptions } from '../src/index.js';
import { defaultModelDirectory } from '../src/runtime/default-model.js';
import { availablePrecisions } from '../src/runtime/options/precision.js';
import { type Accuracy, AccuracySet, type Embed } from './accuracy/measure.js';
import { onnxruntimeInt8 } from './accuracy/onnxruntime.js';

interface Row extends Accuracy {
  readonly isa: string;
  readonly scheme: string;
}

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: defaultModelDirectory() },
    json: { type: 'string' },
    isa: { type: 'string', multiple: true },
    here: { type: 'boolean', default: false },
  },
});

/** A model's vectors; the model stays loaded until the process ends. */
async function vectorsOf(model: string, options: LoadEmbedderOptions): Promise<Embed> {
  const embedder = await loadEmbedder(model, options);
  return async (texts) => (await embedder.embed(texts)).map(({ vector }) => vector);
}

/** Every precision on the instruction set in use, against float32 on the same. */
async function measureHere(): Promise<Row[]> {
  const isa = systemInfo().isa.chosen;
  const set = await AccuracySet.make(await vectorsOf(values.model, { precision: 'fp32' }));
  const rows: Row[] = [];
  const add = async (scheme: string, embed: Embed) => rows.push({ isa, scheme, ...(await set.measure(embed)) });
  for (const precision of availablePrecisions()) {
    await add(precision, await vectorsOf(values.model, { precision }));
    if (!precision.startsWith('int8') || !existsSync(join(values.model, CALIBRATION_FILE))) continue;
    await withoutCalibration(values.model, async (model) => add(`${precision}, uncalibrated`, await vectorsOf(model, { precision })));
  }
  if (isa === systemInfo().isa.available.at(-1)) {
    const rival = await onnxruntimeInt8(values.model);
    if (rival !== undefined) rows.push({ ...(await set.measure(rival)), isa, scheme: 'onnxruntime int8, one text a call' });
  }
  return rows;
}

async function withoutCalibration(model: string, use: (copy: string) => Promise<unknown>): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'bertha-accuracy-'));
  try {
    for (const name of readdirSync(model)) {
      if (name === CALIBRATION_FILE) continue;
      if (name.endsWith('.safetensors')) symlinkSync(join(model, name), join(copy, name));
      else cpSync(join(model, name), join(copy, name), { recursive: true });
    }
    await use(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function measureEverywhere(): Row[] {
  const wanted = values.isa ?? systemInfo().isa.available.filter((isa) => isa !== 'scalar');
  return wanted.flatMap((isa) => {
    process.stderr.write(`${isa} …\n`);
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--here', '--model', values.model];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, BERTHA_ISA: isa }, maxBuffer: 1 << 26 });
    if (child.status !== 0) throw new Error(`${isa} failed:\n${child.stderr}`);
    return JSON.parse(child.stdout) as Row[];
  });
}

function toTable(rows: readonly Row[]): string {
  const kinds = Object.keys(rows[0]?.byKind ?? {});
  const lines = rows.map(({ isa, scheme, mean, onePercent, min, maxAbs, sts, byKind }) => {
    const cosines = [mean, onePercent, min].map((value) => value.toFixed(6));
    const means = kinds.map((kind) => byKind[kind]!.toFixed(4)).join(' / ');
    return `| ${[isa, scheme, ...cosines, maxAbs.toPrecision(2), sts?.toFixed(3) ?? '', means].join(' | ')} |\n`;
  });
  const titles = ['instruction set', 'precision', 'mean', '1 %', 'min', 'max abs', 'STS-B x100', `mean by kind: ${kinds.join(' / ')}`];
  return `| ${titles.join(' | ')} |\n|${'---|'.repeat(titles.length)}\n${lines.join('')}`;
}

if (values.here) {
  process.stdout.write(JSON.stringify(await measureHere()));
} else {
  const rows = measureEverywhere();
  process.stdout.write(toTable(rows));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 1)}\n`);
}
