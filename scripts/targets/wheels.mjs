// Programs that PyPI has as wheels, taken only where their hash is the one that is written here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Runs a program to its end; throws what it printed where it fails. `onFail` says what to do then. */
export function runOrFail(command, args, { onFail = '', ...options } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (status === 0) return stdout;
  throw new Error(
    `Expected ${command} ${args.join(' ')} to succeed but it failed:\n${error?.message ?? `${stdout}${stderr}`}\n${onFail}`.trim(),
  );
}

/**
 * Downloads the wheel of `requirement` (NAME==VERSION) and unpacks it as `home`, which is there whole or not at all. pip refuses a file whose
 * SHA-256 is not one of `hashes`. `options`: what pip needs to take the wheel of another system.
 */
export function fetchWheel(requirement, hashes, home, options = []) {
  const aside = `${home}-fetch-${process.pid}`;
  mkdirSync(aside, { recursive: true });
  try {
    const list = join(aside, 'requirements.txt');
    writeFileSync(list, `${requirement} ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`);
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', ...options];
    const onFail = `Needs Python 3 with pip, PyPI, and a wheel with one of those hashes. By hand: unpack the wheel of ${requirement} as ${home}.`;
    runOrFail('python3', [...pip, '--dest', aside, '--requirement', list], { onFail });
    const wheel = readdirSync(aside).find((name) => name.endsWith('.whl'));
    runOrFail('python3', ['-m', 'zipfile', '-e', join(aside, wheel), join(aside, 'unpacked')], { onFail });
    mkdirSync(dirname(home), { recursive: true });
    if (!existsSync(home)) renameSync(join(aside, 'unpacked'), home);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
