import { cpus } from 'node:os';
import { arch, execPath, platform, report } from 'node:process';
import { libcOfProgram } from './file-format.js';

/** Platform packages that `npm run pack:all` makes, without their scope. */
export const publishedPlatforms: readonly string[] = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-x64',
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'win32-arm64',
];

/** Installed by who has a GPU; it computes on the processor as well. */
export const cudaPackage = `@bertha-encoder/${platform}-${arch}-cuda13`;

/** The C library of this process; undefined outside of Linux. */
export function libc(): 'glibc' | 'musl' | undefined {
  if (platform !== 'linux') return undefined;
  // A report takes ten milliseconds, the program's header none.
  return libcOfProgram(execPath) ?? (glibcVersion() === undefined ? 'musl' : 'glibc');
}

/** The platform package for this process, whether it is published or not. */
export function platformPackage(): string {
  const found = libc();
  const suffix = found === undefined ? '' : { glibc: '-gnu', musl: '-musl' }[found];
  return `@bertha-encoder/${platform}-${arch}${suffix}`;
}

/** Whether `npm run pack:all` makes the platform package for this process. */
export function isPublished(): boolean {
  return publishedPlatforms.some((name) => platformPackage() === `@bertha-encoder/${name}`);
}

/** The C library with its version, as errors name it: `glibc 2.36`. */
export function describeLibc(): string {
  const version = libc() === 'glibc' ? glibcVersion() : undefined;
  return version === undefined ? (libc() ?? 'no glibc') : `glibc ${version}`;
}

/** Whether this is a Node.js for Intel processors on Apple silicon. */
export function isTranslated(): boolean {
  return platform === 'darwin' && arch === 'x64' && (cpus()[0]?.model.includes('Apple') ?? false);
}

function glibcVersion(): string | undefined {
  // Not every runtime that loads addons has reports.
  const made = (report as typeof report | undefined)?.getReport() as unknown as { header?: { glibcVersionRuntime?: string } } | undefined;
  return made?.header?.glibcVersionRuntime;
}
