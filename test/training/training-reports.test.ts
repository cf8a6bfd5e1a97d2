import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import { StepCurve } from '../../src/training/report/step-curve.js';
import { crc32c } from '../../src/training/report/tensorboard.js';
import { Trainer, trainingArguments } from '../../src/training/index.js';
import { fakeCollator, fakeRows, FakeTrainable } from '../support/fake-trainable.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const t = suite('training-reports');
const folder = mkdtempSync(join(tmpdir(), 'bertha-reports-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

async function train(outputDir: string): Promise<void> {
  const trainer = new Trainer({
    model: new FakeTrainable(),
    args: trainingArguments({
      outputDir,
      learningRate: 0.05,
      maxSteps: 60,
      loggingSteps: 2,
      evalStrategy: 'steps',
      evalSteps: 10,
      saveStrategy: 'no',
      reportTo: 'tensorboard',
      warmupSteps: 10,
    }),
    trainDataset: fakeRows(24),
    evalDataset: fakeRows(5),
    dataCollator: fakeCollator,
    computeMetrics: ({ predictions, labels }) => ({
      'mean_error</script>':
        predictions.reduce((sum: number, each, i) => sum + Math.abs((each as number) - (labels[i] as number)), 0) / labels.length,
    }),
  });
  await trainer.train();
}

const outputDir = join(folder, 'run');
t.before(() => train(outputDir));

t('training.html needs no other file', () => {
  const html = readFileSync(join(outputDir, 'training.html'), 'utf8');
  assert.not.match(html, /<(?:script|link|img)[^>]*(?:src|href)=/);
  assert.match(html, /uPlot/);
  assert.is(html.match(/<\/script/g)!.length, 2);
  assert.ok(html.length < 80_000);
});

t('a browser draws a chart each for loss, rate, gradient norm and metrics', async () => {
  const browser = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (browser === undefined) return skip('no chromium on this machine');
  const page = pathToFileURL(join(outputDir, 'training.html')).href;
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`, '--dump-dom', page];
  const child = spawn(browser, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 });
  let dom = '';
  for await (const text of child.stdout.setEncoding('utf8')) dom += text as string;
  assert.equal(
    [...dom.matchAll(/class="u-title">([^<]+)/g)].map(([, title]) => title),
    ['Loss', 'Learning rate', 'Gradient norm', 'Metrics'],
  );
  assert.is(dom.match(/<canvas/g)!.length, 4);
});

t(
  'a short run that logs nothing on its way has every update in its curves, also after it was resumed, and its last metrics in a table',
  async () => {
    const pageOf = async (name: string, ...stops: readonly (number | undefined)[]): Promise<string> => {
      const outputDir = join(folder, name);
      for (const [i, stopAt] of stops.entries()) {
        const trainer = new Trainer({
          model: new FakeTrainable(),
          args: trainingArguments({ outputDir, learningRate: 0.05, maxSteps: 7, saveStrategy: 'no' }),
          trainDataset: fakeRows(24),
          evalDataset: fakeRows(5),
          dataCollator: fakeCollator,
          callbacks: [{ onStepEnd: ({ state }) => void (state.globalStep === stopAt && trainer.requestStop()) }],
        });
        await trainer.train({ resumeFromCheckpoint: i > 0 });
        if (stopAt === undefined) await trainer.evaluate();
      }
      return readFileSync(join(outputDir, 'training.html'), 'utf8');
    };
    const chartsOf = (html: string) =>
      JSON.parse(/^const charts = (.+);$/m.exec(html)![1]!) as {
        title: string;
        steps: number[];
        lines: { name: string; values: number[] }[];
      }[];
    const whole = await pageOf('short', undefined);
    const charts = chartsOf(whole);
    assert.equal(
      charts.map(({ title }) => title),
      ['Loss', 'Learning rate', 'Gradient norm'],
    );
    assert.equal(charts[0]!.steps, [1, 2, 3, 4, 5, 6, 7]);
    assert.equal(
      charts[0]!.lines.map(({ name }) => name),
      ['loss', 'eval_loss'],
    );
    const trainLoss = charts[0]!.lines[0]!.values.reduce((sum, loss) => sum + loss, 0) / 7;
    assert.match(whole, `<tr><td>train_loss</td><td>${Number(trainLoss.toPrecision(5))}</td></tr>`);
    assert.match(whole, '<tr><td>eval_loss</td>');
    assert.equal(chartsOf(await pageOf('resumed', 3, undefined)), charts);
    const log = readFileSync(join(folder, 'short', 'log.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    assert.ok((JSON.parse(log.at(-1)!) as { eval_loss?: number }).eval_loss! > 0);
  },
);

t('a long run has a thousand points at most, means of as many updates each', () => {
  const curve = new StepCurve();
  for (let step = 1; step <= 3001; step++) curve.add({ step, loss: step, learningRate: 1, gradNorm: 2 * step });
  const { points } = curve;
  assert.ok(points.length <= 1000);
  assert.equal(points.slice(0, 2), [
    { step: 4, loss: 2.5, learningRate: 1, gradNorm: 5 },
    { step: 8, loss: 6.5, learningRate: 1, gradNorm: 13 },
  ]);
  assert.equal(points.at(-1), { step: 3001, loss: 3001, learningRate: 1, gradNorm: 6002 });
  const copy = new StepCurve();
  copy.restore(JSON.parse(JSON.stringify(curve.save())) as Record<string, unknown>);
  assert.equal(copy.points, points);
});

t('event files hold every number, in records whose sums are right', () => {
  assert.is(crc32c(Buffer.from('123456789')), 0xe3069283);
  const name = readdirSync(outputDir).find((each) => each.startsWith('events.out.tfevents.'))!;
  const bytes = readFileSync(join(outputDir, name));
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  let records = 0;
  for (let at = 0; at < bytes.length; records++) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.is(unmask(bytes.readUInt32LE(at + 8)), crc32c(bytes.subarray(at, at + 8)));
    assert.is(unmask(bytes.readUInt32LE(at + 12 + length)), crc32c(bytes.subarray(at + 12, at + 12 + length)));
    at += length + 16;
  }
  assert.is(records, 1 + 30 + 6 + 1);
  for (const tag of ['train/loss', 'train/learning_rate', 'eval/loss']) assert.ok(bytes.includes(tag));
  writeFileSync(join(folder, 'events'), bytes);
});

t.run();
