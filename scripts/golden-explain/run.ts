// Compares explanations with golden data, on each instruction set of this machine: a line a model or part, exit code 1 when anything differs.
//   npm run golden:explain -- [DIR] [--isa NAME...] [--all] [--pairs FILE]
// DIR is a folder in the layout of test/golden-explain (the default), whose README says what is in it and what the tolerances are. --all: a line a comparison.
// --pairs: instead, 50 pairs of sentences of a file of the STS benchmark, on the bundled model.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../src/runtime/addon.js';
import { checkKeywords, checkMaps, checkProbing, checkQuadrature } from './parts.js';
import { checkPairs } from './pairs.js';
import { checkPlanted } from './planted.js';
import { modelFolders, type Line } from './read.js';
import { checkModel } from './tiny.js';

/** A part of golden data, and what there is to compare in it. */
export interface Part {
  readonly name: string;
  readonly lines: AsyncGenerator<Line>;
}

/** The parts that a directory has. */
export function partsOf(root: string): Part[] {
  const has = (file: string): boolean => existsSync(join(root, file));
  const parts = [
    { name: 'quadrature', file: 'quadrature.json', lines: checkQuadrature },
    { name: 'keywords', file: 'keywords.json', lines: checkKeywords },
    { name: 'maps', file: 'maps.safetensors', lines: checkMaps },
    { name: 'probing', file: 'probing/cases.json', lines: checkProbing },
    { name: 'planted', file: 'planted/cases.json', lines: checkPlanted },
  ].filter(({ file }) => has(file));
  return [
    ...modelFolders(root).map((name) => ({ name: `tiny/${name}`, lines: checkModel(root, name) })),
    ...parts.map(({ name, lines }) => ({ name, lines: lines(root) })),
  ];
}

if (process.argv[1]?.endsWith('run.ts') === true) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      isa: { type: 'string', multiple: true },
      here: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      pairs: { type: 'string' },
    },
  });
  const root = resolve(positionals[0] ?? fileURLToPath(new URL('../../test/golden-explain', import.meta.url)));
  const partsHere = (): Part[] =>
    values.pairs === undefined ? partsOf(root) : [{ name: 'pairs', lines: checkPairs(resolve(values.pairs)) }];
  if (values.here) process.exitCode = (await compareHere(partsHere(), values.all)) > 0 ? 1 : 0;
  else {
    for (const isa of values.isa ?? loadAddon().isa().available) {
      const args = ['--import', 'tsx', fileURLToPath(import.meta.url), root, '--here', ...(values.all ? ['--all'] : [])];
      if (values.pairs !== undefined) args.push('--pairs', resolve(values.pairs));
      const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, BERTHA_ISA: isa } });
      if (status !== 0) process.exitCode = 1;
    }
  }
}

/** Compares in this process; returns how many comparisons failed. */
async function compareHere(parts: readonly Part[], all: boolean): Promise<number> {
  const { chosen } = loadAddon().isa();
  if (parts.length === 0) throw new Error('Expected golden data for explanations in the folder but found none.');
  let failed = 0;
  for (const { name, lines } of parts) {
    let [count, wrong] = [0, 0];
    try {
      for await (const line of lines) {
        count++;
        if (!line.ok) wrong++;
        if (all || !line.ok) process.stdout.write(`${line.ok ? 'ok    ' : 'FAILED'} ${chosen} ${name} ${line.name}: ${line.text}\n`);
      }
    } catch (error) {
      wrong++;
      process.stdout.write(`FAILED ${chosen} ${name}: ${String(error)}\n`);
    }
    failed += wrong;
    process.stdout.write(`${wrong === 0 ? 'ok    ' : 'FAILED'} ${chosen} ${name}: ${count - wrong} of ${count}\n`);
  }
  return failed;
}
