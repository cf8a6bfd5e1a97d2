// The CUDA backend on its emulator: the kernels' own tests, models against float64 through Node-API, and everything that can go wrong.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { compareFolder, kTolerance } from '../../scripts/golden/compare.js';
import { findGoldenFolders } from '../../scripts/golden/files.js';
import type { BerthaError } from '../../src/errors.js';
import { loadModel, type LoadModelOptions, type Model } from '../../src/models/index.js';
import { stats, systemInfo } from '../../src/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { editJson, golden, temporaryFolder } from '../support/checkpoint-files.js';
import { cliProgram } from '../support/cli.js';
import { isFull } from '../support/full.js';
import { distance, worstDistance } from '../support/half-precision.js';
import { realModel } from '../support/library.js';
import { skip } from '../support/skip.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'build-cuda-emulated');
const t = suite('cuda emulated');
const canBuild = process.platform === 'linux' && spawnSync('cmake', ['--version']).status === 0;

/** Changes with every commit, so that samples do; a failure is seen again with the seed that its test's name tells. */
const seed =
  Number(process.env['BERTHA_TEST_SEED']) ||
  1 + (parseInt(spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.slice(0, 6), 16) % 9973 || 0);
/** A third of a list, or all of it in the full check. */
const sample = <T>(list: readonly T[]): readonly T[] => (isFull ? list : list.filter((_, i) => i % 3 === seed % 3));

function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/cuda-emulated.mjs'], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stderr);
  process.env['BERTHA_ADDON'] = join(folder, 'Release', 'bertha.node');
}

function passes(program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(join(folder, program), args, { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
  assert.match(stdout, /^[1-9]\d* passed, 0 failed$/m);
}

/** Runs `body` with the emulated device told to be as `settings` say. */
async function withDevice<T>(settings: Readonly<Record<string, string>>, body: () => Promise<T>): Promise<T> {
  for (const [name, value] of Object.entries(settings)) process.env[`BERTHA_EMULATED_${name}`] = value;
  try {
    return await body();
  } finally {
    for (const name of Object.keys(settings)) delete process.env[`BERTHA_EMULATED_${name}`];
  }
}

const tiny = golden('tiny/bert-relu');
const open = (options: LoadModelOptions = {}): Promise<Model> => loadModel(tiny, { device: 'cuda', ...options });
const texts = [Int32Array.of(2, 7, 9, 3), Int32Array.of(2, 3), Int32Array.of(2, 5, 6, 7, 8, 3)].map((ids) => ({ ids }));
const hidden = async (model: Model): Promise<Float32Array[]> =>
  (await model.forward(texts)).map(({ lastHiddenState }) => lastHiddenState.data);

async function errorOf(call: () => Promise<unknown>): Promise<BerthaError> {
  try {
    await call();
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('Expected an error but received a result.');
}

t('knows every error after which CUDA asks for a new process', () => {
  const { stdout } = spawnSync(process.env['CUDACXX'] ?? 'nvcc', ['-M', '-x', 'cu', '/dev/null'], { encoding: 'utf8' });
  const header = /\S*driver_types\.h/.exec(stdout ?? '')?.[0];
  if (header === undefined) return skip("CUDA's headers");
  const comments = readFileSync(header, 'utf8').matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(cudaError\w+)\s*=/g);
  const fatal = [...comments]
    .filter(([, text]) => /terminated\s+and\s+relaunched/.test(text!.replace(/\s*\*\s*/g, ' ')))
    .map(([, , name]) => name!);
  assert.ok(fatal.length >= 13, fatal.join());
  const known = readFileSync(join(root, 'native', 'cuda', 'runtime.cu'), 'utf8');
  for (const name of fatal) assert.ok(known.includes(`case ${name}:`), name);
});

if (canBuild) {
  build();

  // Of the nine ways to time copies and order threads each case meets one, by the seed; in the full check all.
  t(`every op matches float64 in the emulator (BERTHA_TEST_SEED=${seed})`, () => {
    for (let i = 0; i < (isFull ? 9 : 1); i++) passes('kernels_test', '--seed', String(seed + i));
  });
  t('the emulator catches broken kernels', () => passes('emulator_test'));
  t('instructions do what the PTX manual says, bit for bit', () => passes('instructions_test'));
  t('whole forwards wait, fail, find memory and launch as they should', () => passes('forward_test'));
  t('the device runtime knows lost, busy and slow devices, and asks for shared memory until it was granted', () => passes('runtime_test'));
  t('what the probe for Hopper computes on the host is right', () => passes('probe_test'));
  t('the runner without Node finds golden models right', () => passes('models_test', 'test/native/cuda/models'));
  for (const [i, core] of ['ampere', 'hopper'].entries()) {
    t(`with the rounding published of the tensor cores of ${core}, ops, models and the bits of every tile stay right`, () => {
      passes('instructions_test', '--tensor-core', core);
      passes('models_test', 'test/native/cuda/models', '--tensor-core', core);
      passes('kernels_test', 'linear gives a row the same bits in every tile', '--tensor-core', core, '--seed', String(seed));
      const part = isFull ? '0/1' : `${(seed + i) % 8}/8`;
      passes('kernels_test', '--tensor-core', core, '--seed', String(seed), '--sample', part);
    });
  }
  t('every op gives the same bits again', () =>
    passes('kernels_test', '--seed', String(seed), '--repeat', '2', '--sample', `${seed % 8}/8`),
  );

  t('the bench measures every op and whole models', () => {
    const { status, stdout, stderr } = spawnSync(join(folder, 'cuda_bench'), ['--quick'], { encoding: 'utf8' });
    assert.is(status, 0, stdout + stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly what: string; readonly us: number });
    assert.equal([...new Set(lines.map(({ what }) => what))].sort(), ['attention', 'linear', 'linear_gelu', 'model']);
    assert.ok(lines.every(({ us }) => us > 0));
  });

  const folders = [...findGoldenFolders(golden()), ...findGoldenFolders(join(root, 'test', 'golden-families'))];
  for (const each of sample(folders.filter(({ kind }) => kind === 'tiny' || kind === 'sentence'))) {
    t(`${each.name} matches its float64 reference values on a CUDA device (BERTHA_TEST_SEED=${seed})`, async () => {
      const report = await compareFolder(each, { tolerance: kTolerance, device: 'cuda' });
      assert.is(report.verdict, 'ok', report.toString());
      const half = await worstDistance(each, { device: 'cuda', precision: 'fp16' });
      assert.ok(half.relative < 1e-2 && half.cosine > 0.9999, `fp16: ${JSON.stringify(half)}`);
      // Weights rounded to bf16 alone make 1.1e-2 of such narrow models, PyTorch's bf16 2.5e-2 (docs/cuda.md). The cosine follows: 1 - 0.03² / 2.
      const brain = await worstDistance(each, { device: 'cuda', precision: 'bf16' });
      assert.ok(brain.relative < 3e-2 && brain.cosine > 0.9995, `bf16: ${JSON.stringify(brain)}`);
    });
  }

  for (const each of folders.filter(({ kind }) => kind === 'sparse' || kind === 'multi-vector')) {
    t(`${each.name} gives its sparse vectors, or its tokens' vectors, on a CUDA device`, async () => {
      const report = await compareFolder(each, { tolerance: kTolerance, device: 'cuda' });
      assert.is(report.verdict, 'ok', report.toString());
    });
  }

  t('all-MiniLM-L6-v2 gives the vectors of the CPU in fp32, and close ones in fp16 and bf16', async () => {
    const ids = [Int32Array.of(101, 7592, 1010, 2088, 999, 102), Int32Array.of(101, 1996, 4248, 2829, 4419, 102)].map((each) => ({
      ids: each,
    }));
    const vectors = async (options: LoadModelOptions): Promise<Float32Array[]> => {
      const model = await loadModel(undefined, { ...options, heads: false });
      const results = await model.forward(ids);
      model.dispose();
      return results.map(({ lastHiddenState }) => lastHiddenState.data);
    };
    const expected = await vectors({ device: 'cpu' });
    for (const [precision, furthest] of [
      ['fp32', { relative: 1e-5, cosine: 1 - 1e-9 }],
      ['fp16', { relative: 1e-2, cosine: 0.9999 }],
      ['bf16', { relative: 1e-2, cosine: 0.9999 }],
    ] as const) {
      (await vectors({ device: 'cuda', precision })).forEach((actual, i) => {
        const { relative, cosine } = distance(actual, expected[i]!);
        assert.ok(relative < furthest.relative && cosine >= furthest.cosine, `${precision}: ${relative}, cosine ${cosine}`);
      });
    }
  });

  t('gives a text the same bits alone and among others', async () => {
    for (const precision of ['fp32', 'fp16', 'bf16'] as const) {
      const model = await open({ precision });
      const together = await hidden(model);
      for (const [i, text] of texts.entries()) {
        const alone = (await model.forward([text]))[0]!.lastHiddenState.data;
        assert.equal(
          Buffer.from(alone.buffer, alone.byteOffset, alone.byteLength),
          Buffer.from(together[i]!.slice().buffer),
          `${precision} ${i}`,
        );
      }
      model.dispose();
    }
  });

  t('says what is missing when there is no driver, no device, or either is too old', async () => {
    const missing: readonly [Readonly<Record<string, string>>, RegExp][] = [
      [{ DRIVER: '0' }, /there is no NVIDIA driver/],
      [{ DRIVER: '12080' }, /the driver supports CUDA 12\.8: expected 13\.0 or newer/],
      [{ DEVICES: '0' }, /there is no CUDA device/],
      [{ CAPABILITY: '70' }, /compute capability 7\.0: expected 7\.5/],
    ];
    for (const [settings, message] of missing) {
      const error = await withDevice(settings, () => errorOf(() => open()));
      assert.is(error.code, 'DEVICE');
      assert.match(error.message, message);
    }
    const third = await errorOf(() => open({ device: 'cuda:3' }));
    assert.match(third.message, /there is no device 3: expected 0 to 0/);
    assert.is((await errorOf(() => open({ device: 'cuda:x' as 'cuda' }))).code, 'DEVICE');
    assert.is(loadAddon().deviceProblem('cuda'), '');
  });

  t('auto takes the device where it can, else the processor, and says why', async () => {
    const chosen = async (options: LoadModelOptions): Promise<Model['device']> => {
      const model = await open({ device: 'auto', ...options });
      model.dispose();
      return model.device;
    };
    const facts = 'emulated device, compute capability 8.0, 16.0 GiB';
    assert.equal(await chosen({ precision: 'bf16' }), { asked: 'auto', chosen: 'cuda', reason: facts });
    assert.equal(await chosen({ precision: 'int8' }), { asked: 'auto', chosen: 'cpu', reason: 'CUDA devices do not compute in int8' });
    assert.equal(await chosen({ device: 'cuda:0' }), { asked: 'cuda:0', chosen: 'cuda:0', reason: 'as asked' });
    await withDevice({ DEVICES: '0' }, async () => {
      assert.equal(await chosen({}), { asked: 'auto', chosen: 'cpu', reason: 'no CUDA device can be used: there is no CUDA device' });
      assert.is((await errorOf(() => chosen({ precision: 'fp16' }))).code, 'PRECISION');
      assert.equal(systemInfo().cuda, { available: false, problem: 'there is no CUDA device', device: '', devices: [] });
    });
    // The first device that can be used, not the first.
    const third = { DEVICES: '3', CAPABILITY: '70,75,80' };
    await withDevice(third, async () => {
      assert.equal(await chosen({ precision: 'bf16' }), {
        asked: 'auto',
        chosen: 'cuda:2',
        reason:
          `${facts}; not cuda: emulated device has compute capability 7.0: expected 7.5 or more; ` +
          'not cuda:1: bf16 needs compute capability 8.0 or more, emulated device has 7.5: use fp16',
      });
      assert.is((await chosen({ precision: 'fp16' })).chosen, 'cuda:1');
      const { cuda, device } = systemInfo();
      assert.is(device.chosen, 'cuda:1');
      assert.equal([cuda.available, cuda.problem, cuda.device], [true, '', 'emulated device, compute capability 7.5, 16.0 GiB']);
      assert.equal(
        cuda.devices.map(({ name, description, problem }) => [name, description, problem]),
        [
          ['cuda', '', 'emulated device has compute capability 7.0: expected 7.5 or more'],
          ['cuda:1', 'emulated device, compute capability 7.5, 16.0 GiB', ''],
          ['cuda:2', facts, ''],
        ],
      );
    });
    await withDevice({ DEVICES: '2', CAPABILITY: '70' }, async () => {
      const { chosen: device, reason } = await chosen({});
      assert.is(device, 'cpu');
      assert.match(reason, /^no CUDA device can be used: cuda: .* 7\.0: expected 7\.5 or more; cuda:1: /);
    });
    const { cuda, device } = systemInfo();
    assert.equal(cuda, { available: true, problem: '', device: facts, devices: [{ name: 'cuda', description: facts, problem: '' }] });
    assert.is(device.chosen, 'cuda');
  });

  t('doctor shows every device', () => {
    const run = (...args: string[]): string => {
      const env = { ...process.env, BERTHA_EMULATED_DEVICES: '2', BERTHA_EMULATED_CAPABILITY: '80,70', NO_COLOR: '1' };
      const { status, stdout, stderr } = spawnSync(process.execPath, [cliProgram, 'doctor', ...args], {
        cwd: root,
        encoding: 'utf8',
        env,
      });
      assert.is(status, 0, stdout + stderr);
      return stdout;
    };
    assert.match(
      run(),
      /^ok {2}cuda +emulated device, compute capability 8\.0, 16\.0 GiB\nok {2}cuda:1 +cannot be used: emulated device has compute capability 7\.0: expected 7\.5/m,
    );
    const findings = JSON.parse(run('--json')) as Readonly<
      Record<string, { readonly devices?: readonly object[]; readonly problem?: string }>
    >;
    assert.is(findings['cuda']?.devices?.length, 2);
    assert.match(findings['cuda:1']?.problem ?? '', /expected 7\.5 or more/);
  });

  t('auto takes the processor for heads wider than the kernels take; by name the device refuses them', async () => {
    const wide = temporaryFolder(realModel);
    editJson(join(wide, 'config.json'), { num_attention_heads: 2 });
    const model = await loadModel(wide, { device: 'auto', heads: false });
    assert.equal(model.device, {
      asked: 'auto',
      chosen: 'cpu',
      reason: 'no CUDA device can be used: cuda: expected a head_dim of at most 128 on CUDA, got 192',
    });
    model.dispose();
    const refused = await errorOf(() => loadModel(wide, { device: 'cuda', heads: false }));
    assert.is(refused.code, 'DEVICE');
    assert.match(refused.message, /expected a head_dim of at most 128 on CUDA, got 192/);
  });

  t('the first auto of a process leaves the event loop free while the driver is set up', () => {
    const script = `
      import { loadModel } from './src/models/index.js';
      const gaps = [];
      let last = Date.now();
      const timer = setInterval(() => (gaps.push(Date.now() - last), (last = Date.now())), 5);
      const model = await loadModel(${JSON.stringify(tiny)}, { device: 'auto' });
      gaps.push(Date.now() - last);
      clearInterval(timer);
      console.log(JSON.stringify({ chosen: model.device.chosen, longest: Math.max(...gaps) }));
      model.dispose();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, BERTHA_EMULATED_INIT_MS: '2000' },
    });
    const { chosen, longest } = JSON.parse(stdout || `{"chosen": ${JSON.stringify(stderr)}}`) as { chosen: string; longest: number };
    assert.is(chosen, 'cuda');
    assert.ok(longest < 1500, `a turn of ${longest} ms while the driver took 2000`);
  });

  t('stats tell which device holds how many models', async () => {
    const before = stats().modelsByDevice;
    const models = [await open(), await open({ device: 'cpu' }), await withDevice({ DEVICES: '2' }, () => open({ device: 'cuda:1' }))];
    const { models: count, modelsByDevice } = stats();
    for (const device of ['cpu', 'cuda:0', 'cuda:1']) assert.is(modelsByDevice[device], (before[device] ?? 0) + 1, device);
    assert.is(
      count,
      Object.values(modelsByDevice).reduce((sum, each) => sum + each, 0),
    );
    for (const model of models) model.dispose();
  });

  t('refuses bf16 before compute capability 8.0 and precisions of the CPU', async () => {
    const old = await withDevice({ CAPABILITY: '75' }, () => errorOf(() => open({ precision: 'bf16' })));
    assert.is(old.code, 'PRECISION');
    assert.match(old.message, /use fp16/);
    assert.is((await errorOf(() => open({ precision: 'int8' }))).code, 'PRECISION');
  });

  t('splits a batch once when memory is short, with the same result', async () => {
    const model = await open();
    const expected = await hidden(model);
    model.dispose();
    const fresh = await open();
    // The first calls of a forward make its stream and memory: each of them fails once in turn.
    let split = 0;
    for (let call = 1; call <= 8; call++) {
      const got = await withDevice({ FAIL: `${call}:oom` }, () => hidden(fresh)).catch((error: BerthaError) => error);
      if (got instanceof Error) assert.is((got as BerthaError).code, 'DEVICE_OOM');
      else split++;
      if (!(got instanceof Error)) assert.equal(got, expected);
    }
    assert.ok(split > 0);
    fresh.dispose();
  });

  t('reports bytes asked and free when loading does not fit', async () => {
    const error = await withDevice({ MEMORY: '1000' }, () => errorOf(() => open()));
    assert.is(error.code, 'DEVICE_OOM');
    assert.match(error.message, /expected \d+ bytes, \d+ of the device's 1000 are free/);
    (await open()).dispose();
  });

  t('every runtime call may fail: a typed error, then the same for all calls, and no crash', async () => {
    const model = await open();
    const expected = await hidden(model);
    for (let call = 1; call <= 60; call++) {
      await withDevice({ FAIL: `${call}:lost` }, async () => {
        const got = await hidden(model).catch((error: BerthaError) => error);
        if (!(got instanceof Error)) return assert.equal(got, expected);
        assert.is((got as BerthaError).code, 'DEVICE_LOST', got.message);
        const again = await errorOf(() => hidden(model));
        assert.is(again.code, 'DEVICE_LOST');
        assert.match(again.message, /restart the process/);
      });
    }
    assert.equal(await hidden(model), expected);
    model.dispose();
  });
} else {
  t('runs where its emulator can be built', () => skip('the CUDA emulator (Linux, CMake)'));
}

t.run();
