import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { installedFile } from '../../runtime/package-files.js';
import { warnOnce } from '../../runtime/warn-once.js';
import type { CallbackContext, CallbackState, TrainerCallback } from '../callbacks/callback.js';
import type { LogEntry } from '../trainer/trainer-state.js';
import { StepCurve, type StepPoint } from './step-curve.js';

/** Time between two pages while training runs. */
const kPauseMs = 5000;
/** What of a log is no curve. */
const kNoCurve = /^(?:step|epoch|train_\w+)$|_(?:runtime|samples_per_second|steps_per_second)$/;

/** One chart: lines over steps. */
interface Chart {
  readonly title: string;
  readonly steps: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/**
 * training.html: loss and learning rate of every update and the metrics as curves, and the final ones as a table; written anew while training
 * runs. Errors: IO.
 */
export class TrainingPage implements TrainerCallback {
  readonly name = 'TrainingPage';
  readonly #file: string;
  readonly #curve = new StepCurve();
  #seen = { updates: 0, lastLogged: 0, lossSum: 0 };
  #written = 0;

  constructor(outputDir: string) {
    this.#file = path.join(outputDir, 'training.html');
  }

  onTrainBegin({ state: { updates, lastLogged, lossSum } }: CallbackContext): void {
    this.#seen = { updates, lastLogged, lossSum };
  }

  async onStepEnd({ state }: CallbackContext): Promise<void> {
    const { updates, lastLogged, lossSum, globalStep: step, learningRate, gradNorm } = state;
    const before = lastLogged === this.#seen.lastLogged ? this.#seen.lossSum : 0;
    const isUpdate = updates > this.#seen.updates;
    this.#seen = { updates, lastLogged, lossSum };
    if (isUpdate) this.#curve.add({ step, loss: lossSum - before, learningRate, gradNorm: gradNorm ?? 0 });
    if (performance.now() - this.#written > kPauseMs) await this.#write(state.logHistory);
  }

  async onLog({ state }: CallbackContext): Promise<void> {
    if (state.globalStep >= state.maxSteps) await this.#write(state.logHistory);
  }

  async onTrainEnd({ state }: CallbackContext): Promise<void> {
    await this.#write(state.logHistory);
  }

  save(): CallbackState {
    return this.#curve.save();
  }

  restore(state: CallbackState): void {
    this.#curve.restore(state);
  }

  async #write(log: readonly LogEntry[]): Promise<void> {
    const library = await chartLibrary();
    if (library !== undefined) await replaceFile(this.#file, [Buffer.from(trainingHtml(log, this.#curve.points, library))]);
    this.#written = performance.now();
  }
}

interface Library {
  readonly script: string;
  readonly style: string;
}

/** uPlot (MIT), from its package; a bundle that leaves the package out gets no page. */
async function chartLibrary(): Promise<Library | undefined> {
  const [script, style] = [installedFile('uplot/dist/uPlot.iife.min.js'), installedFile('uplot/dist/uPlot.min.css')];
  if (script !== undefined && style !== undefined) return { script: await readFile(script, 'utf8'), style: await readFile(style, 'utf8') };
  warnOnce('BERTHA_TRAINING', 'uplot', 'training.html is not written: the package uplot is not installed beside the program.');
  return undefined;
}

/** The page of a run's updates and log: one file that needs no other. */
export function trainingHtml(log: readonly LogEntry[], points: readonly StepPoint[], { script, style }: Library): string {
  const last = log.at(-1);
  // A script element ends at the first "</script", wherever it stands.
  const json = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Training</title>
<style>
${style}
body { font: 14px sans-serif; margin: 2em; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(30em, 1fr)); gap: 2em; }
.u-title { font-size: 15px; }
table { border-collapse: collapse; margin: 2em 0; }
td { border-top: 1px solid #ddd; padding: 0.25em 2em 0.25em 0; font-variant-numeric: tabular-nums; }
</style>
<h1>Training</h1>
<p>${last === undefined ? 'Nothing was logged.' : `Step ${last.step}, epoch ${Number(last.epoch.toFixed(2))}`}</p>
<div class="charts"></div>
${finalTable(log)}
<script>${script.replaceAll('</script', '<\\/script')}</script>
<script>
const charts = ${json(chartsOf(entriesOf(log, points)))};
const colors = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#8c564b', '#17becf', '#7f7f7f'];
const short = (value) => value === null || value === undefined ? '' : Number(value.toPrecision(4)).toString();
const place = document.querySelector('.charts');
for (const { title, steps, lines } of charts) {
  const series = lines.map(({ name }, index) => ({
    label: name, stroke: colors[index % colors.length], width: 1.5, spanGaps: true, points: { show: steps.length < 50 }, value: (_, value) => short(value),
  }));
  const options = {
    title, width: Math.max(320, place.clientWidth / 2 - 30), height: 300, scales: { x: { time: false } },
    axes: [{ label: 'step' }, { size: 70, values: (_, values) => values.map(short) }], series: [{ label: 'step' }, ...series],
  };
  new uPlot(options, [steps, ...lines.map(({ values }) => values)], place);
}
</script>
</html>
`;
}

/** Numbers of a step. */
type Entry = Readonly<Record<string, number>> & { readonly step: number };

/** Each update, and what evaluations found; of a run without updates what its log has. */
function entriesOf(log: readonly LogEntry[], points: readonly StepPoint[]): readonly Entry[] {
  if (points.length === 0) return log;
  const updates = points.map(({ step, loss, learningRate, gradNorm }) => ({
    step,
    loss,
    learning_rate: learningRate,
    grad_norm: gradNorm,
  }));
  return [...updates, ...log.filter((entry) => entry['learning_rate'] === undefined)];
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The last value of each number that a log has, but for those of single steps. */
function finalTable(log: readonly LogEntry[]): string {
  const final = Object.assign({}, ...log.filter((entry) => entry['learning_rate'] === undefined)) as Record<string, number>;
  const rows = Object.entries(final).filter(([name]) => name !== 'step' && name !== 'epoch');
  if (rows.length === 0) return '';
  const cells = rows.map(([name, value]) => `<tr><td>${escaped(name)}</td><td>${Number(value.toPrecision(5))}</td></tr>`);
  return `<table>\n${cells.join('\n')}\n</table>`;
}

/** Losses, learning rate and gradient norm, and all other metrics. */
function chartsOf(log: readonly Entry[]): Chart[] {
  const names = [...new Set(log.flatMap((entry) => Object.keys(entry)))].filter((name) => !kNoCurve.test(name));
  const groups: Readonly<Record<string, (name: string) => boolean>> = {
    Loss: (name) => /(?:^|_)loss$/.test(name),
    'Learning rate': (name) => name === 'learning_rate',
    'Gradient norm': (name) => name === 'grad_norm',
  };
  const rest = names.filter((name) => !Object.values(groups).some((has) => has(name)));
  const grouped = Object.entries(groups).map(([title, has]) => ({ title, lines: names.filter(has) }));
  return [...grouped, { title: 'Metrics', lines: rest }]
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => chartOf(log, title, lines));
}

function chartOf(log: readonly Entry[], title: string, names: readonly string[]): Chart {
  const byStep = new Map<number, Record<string, number>>();
  for (const entry of log) {
    if (names.some((name) => entry[name] !== undefined)) byStep.set(entry.step, { ...byStep.get(entry.step), ...entry });
  }
  const steps = [...byStep.keys()].sort((a, b) => a - b);
  const valueAt = (step: number, name: string) => byStep.get(step)?.[name] ?? null;
  return { title, steps, lines: names.map((name) => ({ name, values: steps.map((step) => valueAt(step, name)) })) };
}
