// Compiles packages/NAME/src to packages/NAME/dist, against the types of dist/, when a source, the configuration or the compiler changed.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCompiler } from './dist.mjs';
import { withLock } from './lock.mjs';
import { fingerprint, inRoot, listFiles, packageDirectory, packageVersion, readState, stateDirectory, writeState } from './project.mjs';
import { showLine, showStep } from './terminal.mjs';

/**
 * Returns true when it compiled. Runs after `buildDist`. `needs`: packages without which a checkout of before it needs `npm ci` once more; `sources`: further
 * files and `versions` that the result depends on; `complete` makes the rest of dist/ in the folder that it is given.
 */
export async function buildWorkspace(name, { force = false, needs, sources = [], versions = {}, complete = async () => {} }) {
  const folder = inRoot('packages', name);
  if (!existsSync(join(folder, 'src'))) return false;
  if (!needs.every((each) => packageDirectory(each) !== undefined)) {
    showLine(`packages of packages/${name} are not installed: it is not compiled. Run npm ci.`);
    return false;
  }
  const own = [...['src', 'package.json', 'tsconfig.json'].map((file) => `packages/${name}/${file}`), ...sources];
  const describe = () => fingerprint(listFiles(...own, 'tsconfig.json'), { typescript: packageVersion('typescript'), ...versions });
  const isCurrent = () => !force && existsSync(join(folder, 'dist', 'index.js')) && readState(name)?.stamp === describe();
  if (isCurrent()) return false;
  const compile = async () => {
    const stamp = describe();
    const start = performance.now();
    showStep(`compiling packages/${name}`);
    // Beside dist/, so that the source maps' ../src is right, and swapped in whole.
    const [fresh, dist] = [join(folder, 'build-dist'), join(folder, 'dist')];
    rmSync(fresh, { recursive: true, force: true });
    runCompiler(`packages/${name}/tsconfig.json`, fresh);
    await complete(fresh);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
    writeState(name, { stamp });
    showLine(`compiled packages/${name} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return true;
  };
  const onWait = (pid) => showLine(`waiting for process ${pid}, which is compiling packages/${name}`);
  return withLock(join(stateDirectory, `${name}.lock`), () => (isCurrent() ? false : compile()), { onWait });
}
