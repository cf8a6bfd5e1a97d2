// The cross compiler: zig (clang, libc++, and the headers and stubs of every C library), as PyPI's ziglang packs it, of one version.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../build/project.mjs';
import { showStep } from '../build/terminal.mjs';
import { fetchWheel } from './wheels.mjs';

export const zigVersion = '0.15.2';
export const targetsFolder = inRoot('build-targets');
const folder = join(targetsFolder, 'zig');

// SHA-256 of the wheels of that version, one for each system that can be the compiler's own.
const hashes = [
  '806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130', // Linux x86-64
  'edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230', // Linux arm64
  '47af4f85e3e59bd672126cc026d3a01b516cad24b9a9ea075abfe8532f4c6bc1', // macOS x86-64
  'acae2a9ce67ed249ad68d42c21bc73b5f9d51a33ba5ea42f609f78683e8d9bb7', // macOS arm64
  'ca80dc9c70dbdfdd9ee51d000de3501a95d33d9782ab9ab9b56f700484ebcd83', // Windows x86-64
  'a81ebfc61e1b7aa43a33add23f93b98954d757434f894eb21bd40b176b6688aa', // Windows arm64
];

/** The path of zig, fetched into build-targets/zig at the first call (93 MB; 379 MB on disk). */
export function fetchZig() {
  const home = join(folder, zigVersion);
  const zig = join(home, 'ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig');
  if (existsSync(zig)) return zig;
  showStep(`fetching ziglang ${zigVersion} from PyPI`);
  fetchWheel(`ziglang==${zigVersion}`, hashes, home);
  chmodSync(zig, 0o755);
  return zig;
}

/** zig keeps its compiled C and C++ libraries, and what it has compiled, below build-targets. */
export const zigEnvironment = () => ({
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: join(folder, 'cache'),
  ZIG_LOCAL_CACHE_DIR: join(folder, 'cache'),
});
