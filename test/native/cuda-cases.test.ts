// Which cases of kernels_test the check for GPUs runs: a process per family of ops, and a few named ones under compute-sanitizer.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { skip } from '../support/skip.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'build-cuda-emulated', 'kernels_test');
const t = suite('cuda cases');
const canBuild = process.platform === 'linux' && spawnSync('cmake', ['--version']).status === 0;

function output(command: string, ...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.is(status, 0, stdout + stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

/** A kernel with its tile, without the types of its numbers, its epilogue, what distance changes, packs: all run the same loops and barriers. */
const withoutTypes = (kernel: string): string =>
  kernel
    .replaceAll(/\w+::|\(anonymous namespace\)::/g, '')
    .replaceAll(/\w*Epilogue<[^>]*>/g, 'Epilogue')
    .replaceAll(/(?:\b(?:Half|Bfloat16|float|kNone|kGelu|kAny)\b|\(Activations\)\d)(?:, )?/g, '')
    .replaceAll(/(attention_mma_kernel<.*), \w+>/g, '$1>')
    .replaceAll(/(turn_heads_kernel)<[^>]*>/g, '$1')
    .replaceAll(/ >/g, '>');

const lines = (path: string): string[] => readFileSync(join(root, path), 'utf8').trim().split('\n');

if (canBuild) {
  output(process.execPath, 'scripts/cuda-emulated.mjs');

  t('24 named cases launch every kernel with every tile', () => {
    const names = lines('test/native/cuda/sanitizer-cases.txt');
    assert.is(names.length, 24);
    assert.equal(output(program, '--list', ...names).sort(), [...names].sort(), 'each line is a case of kernels_test');
    const launched = output(program, '--launches', ...names).map((line) => /: (\w+_kernel.*)$/.exec(line)?.[1] ?? '');
    const compiled = output('nm', '-C', program).map(
      (line) => / [tT] (?:void )?((?:[\w:]|\(anonymous namespace\))*_kernel(?:<.*>)?)\(/.exec(line)?.[1] ?? '',
    );
    const kernels = (list: readonly string[]): string[] => [...new Set(list.map(withoutTypes))].filter((kernel) => kernel !== '').sort();
    const expected = kernels(compiled).filter((kernel) => !/^launch/.test(kernel));
    assert.ok(expected.length >= 25 && expected.includes('top_k_kernel'), expected.join('\n'));
    assert.equal(kernels(launched), expected);
  });

  t('every case belongs to a family that the check gives a process of its own', () => {
    const families = /^families=\((.*)\)$/m.exec(readFileSync(join(root, 'scripts/gpu-check.sh'), 'utf8'))?.[1]?.split(' ') ?? [];
    const cases = output(program, '--list');
    assert.equal([...new Set(cases.map((name) => name.split(' ')[0]))].sort(), [...families].sort());
    assert.is(families.flatMap((family) => output(program, '--list', family)).length, cases.length);
  });

  t('a name that is no case fails', () => {
    const { status, stdout } = spawnSync(program, ['top_k width=2', 'no such op'], { encoding: 'utf8' });
    assert.is(status, 1);
    assert.match(stdout, /^FAIL no such op: no case has this name\n1 passed, 1 failed\n$/);
  });
} else {
  t('run where the emulator can be built', () => skip('the CUDA emulator (Linux, CMake)'));
}

t.run();
