import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder that looks like an installed bertha-encoder: its package.json and the loader, no addon anywhere. */
export function installedPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-loader-'));
  const home = join(folder, 'node_modules', 'bertha-encoder');
  mkdirSync(join(home, 'dist', 'runtime', 'loading'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(home, 'package.json'));
  const loading = ['file-format.js', 'reasons.js', 'system.js'].map((file) => join('loading', file));
  const loader = ['addon.js', 'configure.js', 'default-model.js', 'package-files.js', ...loading].map((file) => join('runtime', file));
  const shared = readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.js') && file !== 'index.js');
  for (const file of [...shared, ...loader]) copyFileSync(join(root, 'dist', file), join(home, 'dist', file));
  return home;
}

export interface Outcome {
  readonly value: unknown;
  readonly code: string;
  readonly message: string;
}

/** How a process of its own is started; `before` is source that runs in it first. */
export interface EvaluateOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: readonly string[];
  readonly before?: string;
}

/** Evaluates `expression` over the installed package's loader in a process of its own. */
export function evaluate(home: string, expression: string, options: EvaluateOptions = {}): Outcome {
  const script = `${options.before ?? ''}
    const { loadAddon } = require(${JSON.stringify(join(home, 'dist/runtime/addon.js'))});
    const { configure } = require(${JSON.stringify(join(home, 'dist/runtime/configure.js'))});
    const { packageRoot } = require(${JSON.stringify(join(home, 'dist/runtime/package-files.js'))});
    const { defaultModelDirectory } = require(${JSON.stringify(join(home, 'dist/runtime/default-model.js'))});
    try { console.log(JSON.stringify({ value: ${expression}, code: '', message: '' })); }
    catch (error) { console.log(JSON.stringify({ value: null, code: String(error.code), message: error.message })); }`;
  const env = { ...process.env, BERTHA_ADDON: '', BERTHA_MODEL_DIR: '', NODE_NO_WARNINGS: '1', ...options.env };
  const result = spawnSync(process.execPath, [...(options.flags ?? []), '--eval', script], { encoding: 'utf8', env });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Outcome;
}

/** Makes an empty platform package; returns where its addon belongs. */
export function placePackage(home: string, name: string, version: string): string {
  const folder = join(dirname(home), '@bertha-encoder', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `@bertha-encoder/${name}`, version }));
  return join(folder, 'bertha.node');
}
