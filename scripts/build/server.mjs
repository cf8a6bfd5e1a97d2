// Compiles packages/server/src to packages/server/dist, against the types of dist/, when a source, the configuration or the compiler changed.
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCompiler } from './dist.mjs';
import { withLock } from './lock.mjs';
import { fingerprint, inRoot, listFiles, packageDirectory, packageVersion, readState, stateDirectory, writeState } from './project.mjs';
import { showLine, showStep } from './terminal.mjs';

const folder = inRoot('packages', 'server');
const page = join(folder, 'ui');
const own = ['packages/server/src', 'packages/server/ui', 'packages/server/package.json', 'packages/server/tsconfig.json'];
const describe = () => fingerprint(listFiles(...own, 'tsconfig.json'), { typescript: packageVersion('typescript'), preact: packageVersion('preact') });

/** Whether what the server's package depends on is installed: a checkout of before it needs `npm ci` once more. */
const isInstalled = () => ['typebox', 'prom-client', 'bertha-encoder'].every((name) => packageDirectory(name) !== undefined);

/** Returns true when it compiled. Runs after `buildDist`. */
export async function buildServer({ force = false } = {}) {
  if (!existsSync(join(folder, 'src'))) return false;
  if (!isInstalled()) {
    showLine('packages of packages/server are not installed: it is not compiled. Run npm ci.');
    return false;
  }
  const isCurrent = () => !force && existsSync(join(folder, 'dist', 'index.js')) && readState('server')?.stamp === describe();
  if (isCurrent()) return false;
  const onWait = (pid) => showLine(`waiting for process ${pid}, which is compiling packages/server`);
  return withLock(join(stateDirectory, 'server.lock'), () => (isCurrent() ? false : compile()), { onWait });
}

async function compile() {
  const stamp = describe();
  const start = performance.now();
  showStep('compiling packages/server');
  // Beside dist/, so that the source maps' ../src is right, and swapped in whole.
  const [fresh, dist] = [join(folder, 'build-dist'), join(folder, 'dist')];
  rmSync(fresh, { recursive: true, force: true });
  runCompiler('packages/server/tsconfig.json', fresh);
  await buildPage(join(fresh, 'ui'));
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  writeState('server', { stamp });
  showLine(`compiled packages/server in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

/** The page at /ui as few small files. */
async function buildPage(out) {
  if (packageDirectory('preact') === undefined) {
    showLine('preact is not installed: the page at /ui is not built. Run npm ci.');
    return;
  }
  const { build } = await import('esbuild');
  await build({
    entryPoints: { page: join(page, 'main.tsx') },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  await build({ entryPoints: { page: join(page, 'style.css') }, outdir: out, minify: true, logLevel: 'silent' });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(out, name));
}
