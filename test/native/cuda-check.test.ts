// scripts/gpu-check.sh with stand-ins for nvcc, nvidia-smi and compute-sanitizer that work, hang, crash or print garbage: the report is whole.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { skip } from '../support/skip.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const t = suite('cuda check');

interface Step {
  readonly step: string;
  readonly verdict: 'ok' | 'FAILED' | 'skipped';
  readonly seconds: number;
  /** Why, or the last line of what ran. */
  readonly reason: string;
}
interface Report {
  readonly device: string;
  readonly steps: readonly Step[];
  readonly probe: readonly object[];
  readonly results: { readonly bench: readonly { readonly what: string; readonly us: number }[] };
  readonly running: string;
}

// What a program does in place of what it is for.
const garbage = String.raw`printf '\377\000{"what": "x\\", "us": nan}\n{"what": "\303", "us": 1}\n"}]\\"\033[2J\n'`;
const behaviours = {
  hang: 'echo $$ >> "$STAND_INS/hanging"; sleep 3000',
  stuck: 'echo $$ >> "$STAND_INS/hanging"; trap "" TERM; while true; do sleep 1; done',
  crash: `${garbage} >&2; kill -SEGV $$`,
  garbage,
} as const;
type Behaviour = keyof typeof behaviours;

/** Programs as `nvcc` would make them: tests that pass, a probe and a bench that measure. */
const built = String.raw`#!/bin/bash
case "$(basename "$0") $1" in
  bench*) echo '{"what": "linear", "type": "bf16", "m": 16, "n": 8, "k": 8, "us": 2.50, "tflops": 0.5}'
          echo 'a word between'; echo '{"what": "model", "model": "minilm", "type": "bf16", "batch_size": 1, "seq_len": 16, "us": 1e3, "tflops": 5e-05}'
          [ ! -e "$STAND_INS/bench" ] || . "$STAND_INS/bench" ;;
  probe*) echo "{\"probe\": \"$2$1\", \"us\": 1.25}" ;;
  *) [ ! -e "$STAND_INS/$1" ] || . "$STAND_INS/$1"; echo '3 passed, 0 failed' ;;
esac
`;
const working: Readonly<Record<string, string>> = {
  nvcc: `while [ "$#" -gt 1 ]; do [ "$1" = -o ] && cp "$STAND_INS/built" "$2"; shift; done`,
  'nvidia-smi': `echo 'A "quoted" \\ GPU, 9.0, 580.1'`,
  'compute-sanitizer': `echo "========= RACECHECK SUMMARY: 0 hazards displayed"; echo "========= ERROR SUMMARY: 0 errors"`,
};

interface Outcome {
  readonly report: Report;
  readonly status: number | null;
  readonly seconds: number;
  /** Processes that hung, of which none may be left. */
  readonly hung: readonly number[];
  readonly printed: string;
}

/** Runs the check with stand-ins, those of `broken` (of a program on PATH, of the bench, of a family of ops) misbehaving. */
async function check(
  broken: Readonly<Record<string, Behaviour>>,
  seconds: number,
  { steps = '.*', stop }: { readonly steps?: string; readonly stop?: (folder: string) => Promise<void> } = {},
): Promise<Outcome> {
  const folder = temporaryFolder();
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  mkdirSync(join(folder, 'bin'));
  write('built', built);
  for (const [name, body] of Object.entries(working))
    write(`bin/${name}`, `#!/bin/bash\n${name in broken ? behaviours[broken[name]!] : body}\n`);
  for (const [name, behaviour] of Object.entries(broken)) if (!(name in working)) write(name, behaviours[behaviour]);
  const out = join(folder, 'out');
  const begin = performance.now();
  const child = spawn('scripts/gpu-check.sh', [out], {
    cwd: root,
    env: {
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      STAND_INS: folder,
      CUDACXX: join(folder, 'bin', 'nvcc'),
      BERTHA_GPU_SECONDS: `${seconds}`,
      BERTHA_GPU_STEPS: steps,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (stop !== undefined) {
    await stop(out);
    child.kill('SIGTERM');
  }
  const status = await closed;
  const pids = join(folder, 'hanging');
  return {
    report: JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report,
    status,
    seconds: (performance.now() - begin) / 1000,
    hung: existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [],
    printed,
  };
}

const names = [
  ...['device', 'build', 'instructions', 'ops_linear', 'ops_attention', 'ops_layer_norm', 'ops_rows'],
  ...['ops_columns', 'ops_pool_linear', 'ops_top_k', 'ops_pick_targets'],
  ...['golden_models', 'probe_bits', 'probe_rates', 'probe_launches', 'probe_waits', 'probe_barrier', 'probe_clusters', 'bench', 'targets'],
  ...['memcheck', 'racecheck', 'synccheck', 'initcheck', 'compiled', 'golden_models_by_node'],
];
const verdictsOf = ({ report }: Outcome): Readonly<Record<string, string>> =>
  Object.fromEntries(report.steps.map(({ step, verdict }) => [step, verdict]));
const stepOf = ({ report }: Outcome, name: string): Step => report.steps.find(({ step }) => step === name)!;

/** Every step in its order, each with a verdict and seconds, nothing running, no process left. */
function isWhole(outcome: Outcome): void {
  const { report, hung, printed } = outcome;
  assert.equal(
    report.steps.map(({ step }) => step),
    names,
    printed,
  );
  assert.is(report.running, '');
  for (const { step, verdict, seconds, reason } of report.steps) {
    assert.ok(['ok', 'FAILED', 'skipped'].includes(verdict) && seconds >= 0, step);
    if (verdict !== 'ok') assert.ok(reason !== '', `${step} is ${verdict} without a reason`);
  }
  for (const pid of hung) assert.ok(isGone(pid), `process ${pid} is left`);
}

/** Whether a process has ended; who has to collect it may not have yet. */
function isGone(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return !existsSync(file) || /\) [ZX] /.test(readFileSync(file, 'utf8'));
}

const hasTools = process.platform === 'linux';
if (hasTools) {
  // These mostly wait for the end of their budgets: all at once.
  const hanging = {
    nvcc: check({ nvcc: 'stuck' }, 6),
    smi: check({ 'nvidia-smi': 'stuck' }, 4),
    sanitizer: check({ 'compute-sanitizer': 'hang' }, 12, { steps: 'memcheck|initcheck' }),
    bench: check({ bench: 'hang' }, 12, { steps: 'bench|targets' }),
  };

  t('every step runs in its order, and measurements are in the report', async () => {
    const outcome = await check({}, 300);
    isWhole(outcome);
    const { report, status, printed } = outcome;
    assert.is(status, 0, printed);
    const skipped = report.steps.filter(({ verdict }) => verdict !== 'ok').map(({ step }) => step);
    assert.equal(skipped, ['golden_models_by_node']);
    assert.is(report.device, 'A "quoted" \\ GPU, 9.0, 580.1');
    assert.equal(
      report.results.bench.map(({ what, us }) => [what, us]),
      [
        ['linear', 2.5],
        ['model', 1000],
      ],
    );
    assert.is(report.probe.length, 6);
  });

  t('nvcc that hangs, crashes or prints garbage: no program, and all else is skipped', async () => {
    const [hang, crash, printed] = await Promise.all([hanging.nvcc, check({ nvcc: 'crash' }, 300), check({ nvcc: 'garbage' }, 300)]);
    for (const outcome of [hang, crash, printed]) {
      isWhole(outcome);
      assert.is(outcome.status, 1);
      const verdicts = verdictsOf(outcome);
      assert.is(verdicts['build'], 'FAILED');
      for (const name of names.slice(2)) assert.is(verdicts[name], 'skipped', name);
    }
    assert.match(stepOf(hang, 'build').reason, /^stopped after [1-6] s/);
    assert.match(stepOf(printed, 'build').reason, /^exit status 1: not built: instructions_test kernels_test models_test bench probe/);
    assert.ok(hang.hung.length > 0);
  });

  t('nvidia-smi that crashes or prints garbage costs the name of the device alone', async () => {
    const only = { steps: 'ops_linear|bench|initcheck' };
    const [hang, ...others] = await Promise.all([
      hanging.smi,
      check({ 'nvidia-smi': 'crash' }, 300, only),
      check({ 'nvidia-smi': 'garbage' }, 300, only),
    ]);
    for (const outcome of others) {
      isWhole(outcome);
      assert.is(outcome.status, 1);
      assert.is(outcome.report.device, 'unknown');
      const verdicts = verdictsOf(outcome);
      assert.is(verdicts['device'], 'FAILED');
      for (const name of ['build', 'ops_linear', 'bench', 'initcheck']) assert.is(verdicts[name], 'ok', name);
    }
    isWhole(hang);
    assert.match(stepOf(hang, 'device').reason, /^stopped after [1-4] s/);
    assert.is(stepOf(hang, 'build').reason, 'the budget of 4 s is spent');
  });

  t('compute-sanitizer that hangs, crashes or prints garbage fails, and the measurements before it stay', async () => {
    const [hang, ...others] = await Promise.all([
      hanging.sanitizer,
      check({ 'compute-sanitizer': 'crash' }, 300, { steps: 'bench|.*check' }),
      check({ 'compute-sanitizer': 'garbage' }, 300, { steps: 'bench|.*check' }),
    ]);
    for (const outcome of [hang, ...others]) {
      isWhole(outcome);
      assert.is(outcome.status, 1);
      assert.is(verdictsOf(outcome)['memcheck'], 'FAILED');
      if (outcome === hang) continue;
      assert.is(verdictsOf(outcome)['initcheck'], 'FAILED');
      assert.is(outcome.report.results.bench.length, 2);
    }
    assert.is(stepOf(hang, 'initcheck').reason, 'the budget of 12 s is spent');
    assert.ok(hang.hung.length > 0);
  });

  t('a family of ops that crashes leaves the others their verdicts', async () => {
    const outcome = await check({ linear: 'crash' }, 300, { steps: 'ops_.*|golden_models|bench' });
    isWhole(outcome);
    assert.match(stepOf(outcome, 'ops_linear').reason, /^exit status 139/);
    for (const name of ['ops_attention', 'golden_models', 'bench']) assert.is(verdictsOf(outcome)[name], 'ok');
  });

  t('a bench that hangs is stopped by the budget, and what it measured is in the report', async () => {
    const outcome = await hanging.bench;
    isWhole(outcome);
    assert.match(stepOf(outcome, 'bench').reason, /^stopped after \d+ s/);
    assert.is(outcome.report.results.bench.length, 2);
    assert.ok(outcome.seconds < 40, `${outcome.seconds}`);
  });

  t('a check that is stopped itself leaves a whole report and no process', async () => {
    const measured = async (out: string): Promise<void> => {
      for (let i = 0; i < 1200; i++) {
        const report = existsSync(join(out, 'report.json')) ? readFileSync(join(out, 'report.json'), 'utf8') : '{}';
        if ((JSON.parse(report) as Partial<Report>).results?.bench.length === 2) return;
        await sleep(50);
      }
    };
    const { report, status, hung } = await check({ bench: 'hang' }, 300, { steps: 'bench', stop: measured });
    assert.is(status, 143);
    assert.equal(report.steps.at(-1), { step: 'bench', verdict: 'FAILED', seconds: 0, reason: 'interrupted' });
    assert.is(report.results.bench.length, 2);
    for (const pid of hung) assert.ok(isGone(pid), `process ${pid} is left`);
  });
} else {
  t('runs on Linux', () => skip('Linux'));
}

t.run();
