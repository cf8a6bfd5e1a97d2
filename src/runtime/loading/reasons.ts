import { arch, platform } from 'node:process';
import { errorMessage } from '../../realms.js';
import { builtFor } from './file-format.js';
import { describeLibc, isPublished, isTranslated, libc, platformPackage, publishedPlatforms } from './system.js';

/** A file or package that was tried, why it was not taken, and what helps against that. */
export interface Attempt {
  readonly what: string;
  readonly why: string;
  readonly remedy?: string | undefined;
}

interface Reason {
  readonly why: string;
  readonly remedy?: string | undefined;
}

const longestPath = 259; // on Windows, where nobody has allowed longer ones

/** Why a file is not for this system, before it is tried: one for another C library may crash when it is loaded. Undefined where it is. */
export function misfit(file: string): Reason | undefined {
  const built = builtFor(file);
  if (built === undefined) return undefined;
  if (built.platform === platform && built.arch !== arch)
    return { why: `is built for ${built.arch}, this Node.js is ${arch}`, remedy: isTranslated() ? rosettaRemedy : reinstallRemedy() };
  if (built.platform !== platform)
    return { why: `is built for ${built.platform}-${built.arch}, this is ${platform}-${arch}`, remedy: reinstallRemedy() };
  const ours = libc();
  if (built.libc === undefined || ours === undefined || built.libc === ours) return undefined;
  return { why: `is built for ${built.libc}, this system has ${describeLibc()}`, remedy: reinstallRemedy() };
}

const rosettaRemedy =
  'this Node.js is for Intel processors and runs under Rosetta: install the Node.js for arm64, then delete node_modules and run npm install';

function reinstallRemedy(): string {
  const [, libcName] = /-(gnu|musl)$/.exec(platformPackage()) ?? [];
  const flag = libcName === undefined ? '' : ` --libc=${libcName === 'gnu' ? 'glibc' : 'musl'}`;
  return isPublished()
    ? `node_modules was installed for another system: delete it and run npm install here, or npm install --os=${platform} --cpu=${arch}${flag}`
    : `no prebuilt addon is made for ${platformPackage().replace('@bertha-encoder/', '')}: only for ${publishedPlatforms.join(', ')}`;
}

/** Why loading a file failed, and what helps where the cause is known. */
export function reasonOf(file: string, error: unknown): Reason {
  const code = (error as NodeJS.ErrnoException).code;
  const message = errorMessage(error).split('\n', 1)[0]!;
  if (code === 'MODULE_NOT_FOUND') return { why: 'is not there' };
  if (code === 'ERR_DLOPEN_DISABLED')
    return {
      why: 'was not tried: this process may not load addons (--no-addons, or --permission without --allow-addons)',
      remedy: 'start Node.js without --no-addons, and under --permission with --allow-addons and --allow-fs-read',
    };
  if (code === 'ERR_ACCESS_DENIED') return { why: 'may not be read by this process (--permission without --allow-fs-read for it)' };
  if (code !== 'ERR_DLOPEN_FAILED') return { why: message };
  const required = [...message.matchAll(/`(GLIBC_[\d.]+)'/g)].map((match) => match[1]);
  if (required.length > 0) return { why: `needs ${required.join(', ').replace('GLIBC_', 'glibc ')}, this system has ${describeLibc()}` };
  return { why: `cannot be loaded: ${message.replace(`${file}: `, '')}`, remedy: loadRemedy(file, message) };
}

function loadRemedy(file: string, message: string): string | undefined {
  if (/failed to map segment|Operation not permitted/.test(message))
    return 'the file system may be mounted without the right to run programs (noexec): install into another one, or mount it with exec';
  if (/code signature|not valid for use in process|library load disallowed/.test(message))
    return `macOS refuses the file's signature: codesign --force --sign - ${JSON.stringify(file)}`;
  if (platform !== 'win32' || builtFor(file) === undefined) return undefined;
  if (file.length > longestPath)
    return `its path has ${file.length} letters: install into a folder with a shorter path, or allow paths of more than ${longestPath} (LongPathsEnabled)`;
  return 'it needs the Universal C Runtime, a part of Windows 10 and later: install the Microsoft Visual C++ Redistributable, or look whether an antivirus holds the file back';
}
