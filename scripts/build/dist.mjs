// Compiles src/ to dist/, and that to dist/cjs, when a source, the configuration or the compiler changed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeCommonJs } from './commonjs.mjs';
import { withLock } from './lock.mjs';
import { writePageAssets } from './pages.mjs';
import { fingerprint, inRoot, listFiles, packageDirectory, packageVersion, readState, stateDirectory, writeState } from './project.mjs';
import { showLine, showStep } from './terminal.mjs';

const describe = () => fingerprint(listFiles('src', 'tsconfig.json', 'scripts/build/commonjs.mjs', 'scripts/build/pages.mjs'), {
    typescript: packageVersion('typescript'),
    esbuild: packageVersion('esbuild'),
  });

/** Returns true when it compiled. */
export async function buildDist({ force = false } = {}) {
  const isCurrent = () => !force && existsSync(inRoot('dist', 'index.js')) && readState('dist')?.stamp === describe();
  if (isCurrent()) return false;
  const onWait = (pid) => showLine(`waiting for process ${pid}, which is compiling TypeScript`);
  return withLock(join(stateDirectory, 'dist.lock'), () => (isCurrent() ? false : compile()), { onWait });
}

async function compile() {
  const stamp = describe();
  const start = performance.now();
  showStep('compiling TypeScript');
  // Compiled aside and swapped in: files of deleted sources go, and a program that starts meanwhile finds a whole dist/. Beside dist/, so
  // that the source maps' ../src is right in both places.
  const fresh = inRoot('build-dist');
  const old = inRoot('build', 'dist.old');
  rmSync(fresh, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
  runCompiler('tsconfig.json', fresh);
  await writePageAssets(fresh);
  await writeCommonJs(fresh);
  const main = join(fresh, 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  mkdirSync(inRoot('build'), { recursive: true });
  if (existsSync(inRoot('dist'))) renameSync(inRoot('dist'), old);
  renameSync(fresh, inRoot('dist'));
  rmSync(old, { recursive: true, force: true });
  writeState('dist', { stamp });
  showLine(`compiled TypeScript in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

/** Compiles a project's sources into `folder`; throws what TypeScript reports. */
export function runCompiler(project, folder) {
  const compiler = packageDirectory('typescript');
  if (compiler === undefined) throw new Error('Expected typescript in node_modules but it is not installed. Run npm ci.');
  const args = [join(compiler, 'bin', 'tsc'), '-p', project, '--outDir', folder];
  const result = spawnSync(process.execPath, args, { cwd: inRoot(), encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`Expected ${project} to compile but TypeScript reported:\n${result.stdout}${result.stderr}`);
}
