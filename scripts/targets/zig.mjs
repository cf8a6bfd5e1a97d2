// The cross compiler: zig (clang, libc++, and the headers and stubs of every C library), as PyPI's ziglang packs it, of one version.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../build/project.mjs';
import { showStep } from '../build/terminal.mjs';

export const zigVersion = '0.15.2';
export const targetsFolder = inRoot('build-targets');
const folder = join(targetsFolder, 'zig');

/** Runs a program to its end; throws what it printed where it fails. `onFail` says what to do then. */
export function runOrFail(command, args, { onFail = '', ...options } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (status === 0) return stdout;
  throw new Error(
    `Expected ${command} ${args.join(' ')} to succeed but it failed:\n${error?.message ?? `${stdout}${stderr}`}\n${onFail}`.trim(),
  );
}

/** The path of zig, fetched into build-targets/zig at the first call (93 MB; 379 MB on disk). */
export function fetchZig() {
  const home = join(folder, zigVersion);
  const zig = join(home, process.platform === 'win32' ? 'zig.exe' : 'zig');
  if (existsSync(zig)) return zig;
  const aside = join(folder, `fetch-${process.pid}`);
  mkdirSync(aside, { recursive: true });
  try {
    showStep(`fetching ziglang ${zigVersion} from PyPI`);
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', aside, `ziglang==${zigVersion}`];
    const onFail = `Needs Python 3 with pip and PyPI. By hand: python3 ${pip.join(' ')}, then unpack the wheel's folder ziglang as ${home}.`;
    runOrFail('python3', pip, { onFail });
    const wheel = readdirSync(aside).find((name) => name.endsWith('.whl'));
    runOrFail('python3', ['-m', 'zipfile', '-e', join(aside, wheel), aside], { onFail });
    chmodSync(join(aside, 'ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig'), 0o755);
    renameSync(join(aside, 'ziglang'), home);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return zig;
}

/** zig keeps its compiled C and C++ libraries, and what it has compiled, below build-targets. */
export const zigEnvironment = () => ({
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: join(folder, 'cache'),
  ZIG_LOCAL_CACHE_DIR: join(folder, 'cache'),
});
