import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { BerthaError } from '../errors.js';
import { errorMessage } from '../realms.js';
import { version } from '../version.js';
import { setLocation } from './configure.js';
import type { NativeAddon } from './native.js';
import { installedFile, packageRoot, requireFile } from './package-files.js';

/** Installed by who has a GPU; it computes on the processor as well. */
const cudaPackage = `@bertha-encoder/${platform}-${arch}-cuda13`;
const platformPackage = `@bertha-encoder/${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
/** Platform packages that `npm run pack:all` makes. */
const published: readonly string[] = ['@bertha-encoder/linux-x64-gnu'];

interface Attempt {
  readonly what: string;
  readonly why: string;
}

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
  const addon = tryPackage(cudaPackage, attempts) ?? tryPackage(platformPackage, attempts);
  if (addon !== undefined) return addon;
  throw new BerthaError('ADDON_LOAD', explain(attempts, root === undefined ? bundleRemedies() : packageRemedies()));
}

function tryPackage(name: string, attempts: Attempt[]): NativeAddon | undefined {
  const file = installedFile(`${name}/bertha.node`);
  if (file === undefined) {
    if (name === cudaPackage) return undefined;
    const why = published.includes(platformPackage)
      ? 'is not installed'
      : `does not exist: prebuilt addons are made for ${published.join(', ')}`;
    attempts.push({ what: platformPackage, why });
    return undefined;
  }
  return tryLoad(file, name, attempts);
}

function tryLoad(file: string, what: string, attempts: Attempt[]): NativeAddon | undefined {
  try {
    const addon = requireFile(file) as Partial<NativeAddon> | null;
    if (addon?.version === version) return addon as NativeAddon;
    const why = typeof addon?.version === 'string' ? `has version ${addon.version}, expected ${version}` : 'is no addon of bertha-encoder';
    attempts.push({ what, why });
  } catch (error) {
    attempts.push({ what, why: reason(file, error) });
  }
  return undefined;
}

function reason(file: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const message = errorMessage(error).split('\n', 1)[0]!;
  if (code === 'MODULE_NOT_FOUND') return 'is not there';
  if (code === 'ERR_DLOPEN_DISABLED')
    return 'was not tried: this process may not load addons (--no-addons, or --permission without --allow-addons)';
  if (code === 'ERR_ACCESS_DENIED') return 'may not be read by this process (--permission without --allow-fs-read for it)';
  if (code !== 'ERR_DLOPEN_FAILED') return message;
  const built = builtFor(file);
  if (built !== undefined && built !== arch) return `is built for ${built}, this Node.js is ${arch}`;
  const required = [...message.matchAll(/`(GLIBC_[\d.]+)'/g)].map((match) => match[1]);
  if (required.length > 0) return `needs ${required.join(', ').replace('GLIBC_', 'glibc ')}, this system has ${libc()}`;
  return `cannot be loaded: ${message.replace(`${file}: `, '')}`;
}

/** The processor an ELF file is built for (e_machine, at byte 18), in Node's words. */
function builtFor(file: string): string | undefined {
  const header = Buffer.alloc(20);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, header, 0, header.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  if (header.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const machines: Readonly<Record<number, string>> = { 0x03: 'ia32', 0x28: 'arm', 0x3e: 'x64', 0xb7: 'arm64', 0xf3: 'riscv64' };
  const machine = header.readUInt16LE(18);
  return machines[machine] ?? `machine ${machine}`;
}

function libc(): string {
  if (platform !== 'linux') return 'no glibc';
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'no glibc (musl?)' : `glibc ${header.glibcVersionRuntime}`;
}

function explain(attempts: readonly Attempt[], cures: readonly string[]): string {
  const system = `${platform}-${arch}, ${platform === 'linux' ? `${libc()}, ` : ''}Node.js ${process.version}`;
  const allowAddons = 'start Node.js without --no-addons, and under --permission with --allow-addons and --allow-fs-read';
  return [
    `Expected a native addon for ${system}, but none could be loaded:`,
    ...attempts.map(({ what, why }) => `  - ${what} ${why}`),
    'What to do:',
    ...(attempts.some(({ why }) => why.includes('--no-addons')) ? [allowAddons] : cures).map((cure) => `  - ${cure}`),
  ].join('\n');
}

/** This code was taken out of its package, so that nothing beside it is what it was. */
function bundleRemedies(): string[] {
  return [
    'keep bertha-encoder out of the bundle and installed beside it: serverExternalPackages in Next.js, externals in webpack, ssr.external in Vite, --external:bertha-encoder in esbuild (docs/bundlers.md)',
    `or set BERTHA_ADDON, or the option addon of configure, to the file bertha.node of ${published.includes(platformPackage) ? platformPackage : 'a checkout, in build/Release'}`,
  ];
}

function packageRemedies(): string[] {
  const inCheckout = 'in a checkout of bertha-encoder: npm ci, or npm run build (needs a C++17 compiler, make and Python 3)';
  if (!published.includes(platformPackage)) {
    return [inCheckout, 'then, in the project that uses it: set BERTHA_ADDON to build/Release/bertha.node of that checkout'];
  }
  const inProject = `in a project: npm install ${platformPackage} (npm leaves it out with --omit=optional, or where a lockfile comes from another platform)`;
  return [inProject, inCheckout];
}
