import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { BerthaError } from '../errors.js';
import { version } from '../version.js';
import { setLocation } from './configure.js';
import { misfit, reasonOf, type Attempt } from './loading/reasons.js';
import { cudaPackage, describeLibc, isPublished, platformPackage, publishedPlatforms } from './loading/system.js';
import type { NativeAddon } from './native.js';
import { installedFile, packageRoot, requireFile } from './package-files.js';

let loaded: NativeAddon | undefined;

/**
 * The native addon, loaded at the first call: the file that `configure` or BERTHA_ADDON names, and then nothing else; otherwise this
 * package's own build (build/ or build-cmake/), or a prebuilt one: the CUDA package's where it is installed, else the platform package's.
 * Throws `ADDON_LOAD` with every attempt, why each failed and what to do. Later calls return the same addon.
 */
export function loadAddon(): NativeAddon {
  return (loaded ??= findAddon());
}

function findAddon(): NativeAddon {
  const attempts: Attempt[] = [];
  const set = setLocation('addon');
  const root = packageRoot();
  if (set !== undefined) {
    const addon = tryLoad(set.path, set.path, attempts);
    if (addon !== undefined) return addon;
    throw new BerthaError('ADDON_LOAD', explain(attempts, [`correct or remove ${set.setBy}, which names ${set.path}`]));
  }
  for (const folder of root === undefined ? [] : ['build', 'build-cmake']) {
    const file = join(root!, folder, 'Release', 'bertha.node');
    const addon = tryLoad(file, file, attempts);
    if (addon !== undefined) return addon;
  }
  const addon = tryPackage(cudaPackage, attempts) ?? tryPackage(platformPackage(), attempts);
  if (addon !== undefined) return addon;
  attempts.push(...notForThisSystem());
  throw new BerthaError('ADDON_LOAD', explain(attempts, root === undefined ? bundleRemedies() : packageRemedies()));
}

function tryPackage(name: string, attempts: Attempt[]): NativeAddon | undefined {
  const file = installedFile(`${name}/bertha.node`);
  if (file !== undefined) return tryLoad(file, name, attempts);
  if (name === cudaPackage) return undefined;
  const why = isPublished() ? 'is not installed' : `does not exist: prebuilt addons are made for ${publishedPlatforms.join(', ')}`;
  attempts.push({ what: name, why });
  return undefined;
}

/** Packages for other systems that are installed: what a node_modules folder brings along that was made on one of them. */
function notForThisSystem(): Attempt[] {
  const names = publishedPlatforms.map((name) => `@bertha-encoder/${name}`).filter((name) => name !== platformPackage());
  return names.flatMap((name) => {
    const file = installedFile(`${name}/bertha.node`);
    const reason = file === undefined ? undefined : misfit(file);
    return reason === undefined ? [] : [{ what: name, ...reason }];
  });
}

function tryLoad(file: string, what: string, attempts: Attempt[]): NativeAddon | undefined {
  const wrong = misfit(file);
  if (wrong !== undefined) {
    attempts.push({ what, ...wrong });
    return undefined;
  }
  try {
    const addon = requireFile(file) as Partial<NativeAddon> | null;
    if (addon?.version === version) return addon as NativeAddon;
    const why = typeof addon?.version === 'string' ? `has version ${addon.version}, expected ${version}` : 'is no addon of bertha-encoder';
    attempts.push({ what, why });
  } catch (error) {
    attempts.push({ what, ...reasonOf(file, error) });
  }
  return undefined;
}

function explain(attempts: readonly Attempt[], cures: readonly string[]): string {
  const system = `${platform}-${arch}, ${platform === 'linux' ? `${describeLibc()}, ` : ''}Node.js ${process.version}`;
  const known = [...new Set(attempts.flatMap(({ remedy }) => remedy ?? []))];
  const isForbidden = attempts.some(({ why }) => why.includes('--no-addons'));
  return [
    `Expected a native addon for ${system}, but none could be loaded:`,
    ...attempts.map(({ what, why }) => `  - ${what} ${why}`),
    'What to do:',
    ...(isForbidden ? known : [...known, ...cures]).map((cure) => `  - ${cure}`),
  ].join('\n');
}

/** This code was taken out of its package, so that nothing beside it is what it was. */
function bundleRemedies(): string[] {
  return [
    'keep bertha-encoder out of the bundle and installed beside it: serverExternalPackages in Next.js, externals in webpack, ssr.external in Vite, --external:bertha-encoder in esbuild (docs/bundlers.md)',
    `or set BERTHA_ADDON, or the option addon of configure, to the file bertha.node of ${isPublished() ? platformPackage() : 'a checkout, in build/Release'}`,
  ];
}

function packageRemedies(): string[] {
  const inCheckout = 'in a checkout of bertha-encoder: npm ci, or npm run build (needs a C++17 compiler, make and Python 3)';
  if (!isPublished()) {
    return [inCheckout, 'then, in the project that uses it: set BERTHA_ADDON to build/Release/bertha.node of that checkout'];
  }
  const inProject = `in a project: npm install ${platformPackage()} (npm leaves it out with --omit=optional, or where a lockfile comes from another platform)`;
  return [inProject, inCheckout];
}
