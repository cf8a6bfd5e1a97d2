import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, cwd, getBuiltinModule } from 'node:process';
import { fileURLToPath } from 'node:url';

// A bundler moves this code into a file of its own: import.meta.url is then that file's address, the source's address on the machine that
// built the bundle, or undefined, and a literal path in a call of require is replaced by a number. So nothing here is what a bundler
// looks for: paths are computed, and whether they lead anywhere is tried.

/** The folder of this package: the checkout, or node_modules/bertha-encoder. Undefined in a bundle. */
export function packageRoot(): string | undefined {
  const file = ownFile();
  if (file === undefined) return undefined;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const name = nameIn(join(folder, 'package.json'));
    if (name === 'bertha-encoder') return folder;
    if (name !== undefined || folder === dirname(folder)) return undefined;
  }
}

/**
 * The path of `name` (package/file) in an installed package, or undefined. A bundle's packages may lie beside it, beside the program's
 * entry or below the working directory; outside of a bundle only what is installed for this package counts.
 */
export function installedFile(name: string): string | undefined {
  const ofProgram = packageRoot() === undefined ? [() => argv[1], () => join(cwd(), 'package.json')] : [];
  for (const base of [ownFile, ...ofProgram]) {
    try {
      return requireFrom(base() ?? '').resolve(name);
    } catch {
      // Not there, no path, or a working directory that was removed.
      continue;
    }
  }
  return undefined;
}

/** What a file of the addon exports. Errors: those of Node.js. */
export function requireFile(file: string): unknown {
  return requireFrom(file)(file);
}

/** Whether a file is there and may be seen. */
export function isThere(file: string): boolean {
  return existsSync(file);
}

/** webpack replaces what an imported createRequire returns, also for paths that it cannot know. */
function requireFrom(base: string): NodeJS.Require {
  return getBuiltinModule('node:module').createRequire(base);
}

function ownFile(): string | undefined {
  const url: unknown = import.meta.url;
  try {
    if (typeof url === 'string') return fileURLToPath(url);
  } catch {
    // An address that only the bundler understands.
  }
  return typeof __filename === 'string' ? __filename : undefined;
}

function nameIn(packageJson: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(packageJson, 'utf8')) as { name?: string }).name;
  } catch {
    return undefined;
  }
}
