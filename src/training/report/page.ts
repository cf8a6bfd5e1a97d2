import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { installedFile } from '../../runtime/package-files.js';
import { warnOnce } from '../../runtime/warn-once.js';
import type { CallbackContext, TrainerCallback } from '../callbacks/callback.js';
import type { LogEntry } from '../trainer/trainer-state.js';

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

/** training.html: loss, learning rate and metrics as curves, written anew while training runs. Errors: IO. */
export class TrainingPage implements TrainerCallback {
  readonly #file: string;
  #written = 0;

  constructor(outputDir: string) {
    this.#file = path.join(outputDir, 'training.html');
  }

  async onLog({ state }: CallbackContext): Promise<void> {
    if (performance.now() - this.#written > kPauseMs) await this.#write(state.logHistory);
  }

  async onTrainEnd({ state }: CallbackContext): Promise<void> {
    await this.#write(state.logHistory);
  }

  async #write(log: readonly LogEntry[]): Promise<void> {
    const library = await chartLibrary();
    if (library !== undefined) await replaceFile(this.#file, [Buffer.from(trainingHtml(log, library))]);
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

/** The page of a run's log: one file that needs no other. */
export function trainingHtml(log: readonly LogEntry[], { script, style }: Library): string {
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
</style>
<h1>Training</h1>
<p>${last === undefined ? 'Nothing was logged.' : `Step ${last.step}, epoch ${Number(last.epoch.toFixed(2))}`}</p>
<div class="charts"></div>
<script>${script.replaceAll('</script', '<\\/script')}</script>
<script>
const charts = ${json(chartsOf(log))};
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

/** Losses, learning rate and gradient norm, and all other metrics. */
function chartsOf(log: readonly LogEntry[]): Chart[] {
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

function chartOf(log: readonly LogEntry[], title: string, names: readonly string[]): Chart {
  const byStep = new Map<number, Record<string, number>>();
  for (const entry of log) {
    if (names.some((name) => entry[name] !== undefined)) byStep.set(entry.step, { ...byStep.get(entry.step), ...entry });
  }
  const steps = [...byStep.keys()].sort((a, b) => a - b);
  const valueAt = (step: number, name: string) => byStep.get(step)?.[name] ?? null;
  return { title, steps, lines: names.map((name) => ({ name, values: steps.map((step) => valueAt(step, name)) })) };
}
