// What the machine offers to compile with.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The full path of a command, or undefined. */
export function findCommand(name) {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** The compiler both builds use: CXX, else the system's. CXX may hold arguments (`ccache g++`). */
export function compiler() {
  return process.env.CXX || ['g++', 'c++', 'clang++'].find((name) => findCommand(name) !== undefined);
}

/** First lines of `compiler --version`: another compiler means another build. */
export function compilerVersion(command) {
  const [program, ...args] = command.split(' ');
  return spawnSync(program, [...args, '--version'], { encoding: 'utf8' }).stdout ?? '';
}

/** Throws one error that names every missing tool and how to get it. */
export function requireTools(builder) {
  const needed = { 'a C++17 compiler': compiler(), make: findCommand('make') };
  if (builder === 'node-gyp') needed['Python 3'] = process.env.npm_config_python || process.env.PYTHON || findCommand('python3');
  else needed.CMake = findCommand('cmake');
  const missing = Object.keys(needed).filter((tool) => needed[tool] === undefined);
  if (missing.length === 0) return;
  throw new Error(
    `Expected ${Object.keys(needed).join(', ')} to compile the addon with ${builder} but did not find ${missing.join(', ')}.\n` +
      '  Debian, Ubuntu: apt-get install g++ make python3 cmake\n' +
      '  Fedora, RHEL:   dnf install gcc-c++ make python3 cmake',
  );
}

/**
 * The folder to give node-gyp as --nodedir: where this very Node's headers lie beside its binary, so that nothing is downloaded.
 * process.config.variables.node_prefix cannot be used: it may be "/" whatever the binary's place.
 */
export function nodeHeadersPrefix(execPath = process.execPath, version = process.version) {
  const prefix = dirname(dirname(execPath));
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return undefined;
  const text = readFileSync(header, 'utf8');
  const number = (part) => new RegExp(`^#define NODE_${part}_VERSION (\\d+)`, 'm').exec(text)?.[1];
  return `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}` === version ? prefix : undefined;
}

/** The CUDA compiler: CUDACXX, else the one on PATH or in the toolkit's usual place; undefined where there is none. */
export function cudaCompiler() {
  return [process.env.CUDACXX, 'nvcc', '/usr/local/cuda/bin/nvcc'].find((name) => name && findCommand(name) !== undefined);
}

/** nvcc and a driver both exist. Either alone is no reason to compile CUDA. */
export function cudaIsUsable() {
  return cudaCompiler() !== undefined && existsSync('/proc/driver/nvidia/version');
}

/** BERTHA_CUDA as '0', '1' or 'emulated', else what the last build was told, else what the machine suggests. */
export function chooseCuda(recorded) {
  const choices = ['0', '1', 'emulated'];
  const asked = process.env.BERTHA_CUDA || undefined;
  if (asked !== undefined && !choices.includes(asked)) {
    throw new Error(`Expected 0, 1 or emulated for BERTHA_CUDA but received ${asked}.`);
  }
  const told = asked ?? choices.find((choice) => choice === recorded?.asked);
  return { cuda: told ?? (cudaIsUsable() ? '1' : '0'), asked: told };
}
