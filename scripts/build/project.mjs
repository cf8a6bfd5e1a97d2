// Where things are in the checkout, and the hash that tells whether a build is still current.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const inRoot = (...parts) => join(root, ...parts);
export const packageJson = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
/** Records of what was built from what. node-gyp keeps its own files in the same folder and leaves these alone. */
export const stateDirectory = inRoot('build', 'state');

const require = createRequire(join(root, 'package.json'));

/** The folder of an installed package, or undefined where it is not installed (`npm ci --omit=dev`). */
export function packageDirectory(name) {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    const directory = inRoot('node_modules', name);
    return existsSync(directory) ? directory : undefined;
  }
}

export function packageVersion(name) {
  const directory = packageDirectory(name);
  return directory === undefined ? 'absent' : JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version;
}

/** Every file under the given files and folders of the checkout, sorted, as paths relative to its root. */
export function listFiles(...paths) {
  const files = [];
  const visit = (path) => {
    if (!existsSync(inRoot(path))) return;
    const entries = readdirSync(inRoot(path), { withFileTypes: true });
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) visit(child);
      else if (entry.isFile()) files.push(child);
    }
  };
  for (const path of paths) {
    if (/\.\w+$/.test(path)) files.push(path);
    else visit(path);
  }
  return files.sort();
}

/** A hash of the contents of `files` and of `facts`: contents, not times, so that switching branches back and forth rebuilds nothing. */
export function fingerprint(files, facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(inRoot(file)));
  return hash.digest('hex');
}

export function readState(name) {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

export function writeState(name, value) {
  mkdirSync(stateDirectory, { recursive: true });
  const path = join(stateDirectory, `${name}.json`);
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${path}.${process.pid}`, path);
}
