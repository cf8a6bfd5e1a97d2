// scripts/gpu-visit.sh: the tree that travels, the command to run, and what comes back.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const t = suite('cuda visit');

function run(
  cwd: string,
  command: string,
  ...args: string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(command, args, { cwd, encoding: 'utf8' });
}

if (process.platform === 'linux') {
  t('prepare leaves the weights out of what git lists and prints one short command; restore undoes it', () => {
    const folder = temporaryFolder();
    for (const each of ['scripts', 'weights']) mkdirSync(join(folder, each));
    for (const each of ['gpu-visit.sh', 'gpu-check.sh']) cpSync(join(root, 'scripts', each), join(folder, 'scripts', each));
    writeFileSync(join(folder, 'weights', 'large.bin'), Buffer.alloc(1000));
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
      ['-c', 'user.name=a', '-c', 'user.email=a@b.c', 'commit', '-qm', 'all'],
    ])
      run(folder, 'git', ...args);
    const { status, stdout, stderr } = run(folder, 'scripts/gpu-visit.sh', 'prepare');
    assert.is(status, 0, stderr);
    const listed = run(folder, 'git', 'ls-files', '--cached', '--others', '--exclude-standard').stdout.trim().split('\n');
    assert.equal(listed, ['scripts/gpu-check.sh', 'scripts/gpu-visit.sh']);
    assert.ok(existsSync(join(folder, 'weights', 'large.bin')));
    const command = stdout.trim().split('\n').at(-1)!;
    assert.match(command, /^BERTHA_COMMIT=[0-9a-f]+ .*scripts\/gpu-check\.sh "\$OUT"$/);
    assert.ok(command.length <= 2000);
    assert.is(run(folder, 'scripts/gpu-visit.sh', 'restore').status, 0);
    assert.is(run(folder, 'git', 'status', '--porcelain').stdout, '');
  });

  t('merge keeps the newest of each measurement, and takes no report without a GPU', () => {
    const folder = temporaryFolder();
    const merge = (report: object): ReturnType<typeof run> => {
      writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
      return run(root, 'scripts/gpu-visit.sh', 'merge', folder, join(folder, 'results'));
    };
    const linear = { what: 'linear', type: 'bf16', m: 16, n: 8, k: 8, us: 2.5, tflops: 1 };
    const attention = { what: 'attention', type: 'bf16', seq_len: 16, us: 4, tflops: 2, baselines_us: { sdpa_flash: 6 } };
    const report = {
      ...{
        device: 'NVIDIA H100 80GB HBM3, 9.0, 580.1',
        mode: 'gpu',
        date: 'first',
        commit: 'abc',
        probe: [{ probe: 'barrier', blocks: 132, us: 1.1 }],
      },
      ...{ steps: [{ step: 'bench', verdict: 'ok', seconds: 3, reason: 'a | b' }], results: { bench: [linear, attention] } },
    };
    assert.is(merge(report).status, 0);
    assert.is(merge({ ...report, date: 'second', results: { bench: [{ ...linear, us: 2 }] } }).status, 0);
    const file = join(folder, 'results', 'nvidia-h100-80gb-hbm3.json');
    const data = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly bench: readonly (typeof linear & { date: string })[];
      readonly visits: readonly object[];
    };
    assert.equal(
      data.bench.map(({ what, us, date }) => [what, us, date]),
      [
        ['linear', 2, 'second'],
        ['attention', 4, 'first'],
      ],
    );
    assert.is(data.visits.length, 2);
    assert.match(
      readFileSync(file.replace('.json', '.md'), 'utf8'),
      /\| attention \| type bf16, seq_len 16 \| 4 \| 2 TFLOP\/s \| sdpa_flash 6\.0 \(1\.50\) \|/,
    );
    const refused = merge({ ...report, mode: 'emulated', device: 'emulated' });
    assert.is(refused.status, 1);
    assert.match(refused.stderr, /Expected a report of a GPU but received one of mode emulated/);
  });
} else {
  t('runs on Linux', () => skip('Linux'));
}

t.run();
