// Rivals live in bench/node_modules, which `npm run bench` fills from bench/package-lock.json when it is missing or out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(`${folder}package.json`);

/** Installs the rivals, unless they are installed as the lock file says. Their install scripts never run. */
export function installRivals(): void {
  const installed = `${folder}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs) return;
  process.stderr.write('bench: installing rivals into bench/node_modules (0.5 GB)\n');
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`Expected npm ci --prefix bench to succeed but received exit code ${status}.`);
}

/** A rival's module. Its types are declared by whoever uses it: they are not installed where only tests run. */
export function requireRival(name: string): unknown {
  return require(name);
}

/** The same for a module that only `import` can load. */
export function importRival(name: string): Promise<unknown> {
  return import(pathToFileURL(require.resolve(name)).href);
}

/** The version of an installed rival. */
export function rivalVersion(name: string): string {
  const manifest = JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, 'utf8')) as { version: string };
  return manifest.version;
}
