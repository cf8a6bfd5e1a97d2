// Merges a report of scripts/gpu-check.sh into the results of its device.   node scripts/gpu-results.mjs REPORT_DIRECTORY RESULTS_DIRECTORY
// <device>.json keeps the newest of each measurement with its date and commit, and the steps of each visit; <device>.md shows them.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2);
const report = JSON.parse(readFileSync(join(from, 'report.json'), 'utf8'));
const described = /^(.+), ([0-9.]+), ([0-9.]+)$/.exec(report.device);
if (report.mode !== 'gpu' || described === null) {
  process.stderr.write(`Expected a report of a GPU but received one of mode ${report.mode}, device '${report.device}'.\n`);
  process.exit(1);
}
const [, device, capability, driver] = described;
const name = device
  .toLowerCase()
  .replaceAll(/[^a-z0-9]+/g, '-')
  .replaceAll(/^-|-$/g, '');
const file = join(to, `${name}.json`);
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { visits: [], bench: [], probe: [] };
const { date, commit } = report;

/** What is measured, without what came of it. */
const results = ['us', 'tflops', 'gigabytes_per_second', 'different', 'largest_relative', 'resident', 'wrong', 'us_of_the_slowest_tenth'];
const besides = [...results, 'baselines_us', 'targets', 'date', 'commit', 'driver'];
const identity = (entry) => JSON.stringify(Object.entries(entry).filter(([key]) => !besides.includes(key)));
function merged(old, added) {
  const all = new Map(old.map((entry) => [identity(entry), entry]));
  for (const entry of added) all.set(identity(entry), { ...entry, date, commit, driver });
  return [...all.values()];
}
const visit = { date, commit, driver, steps: report.steps };
const data = {
  device,
  capability,
  visits: [...known.visits.filter((each) => each.date !== date), visit],
  probe: merged(known.probe, report.probe),
  bench: merged(known.bench, report.results.bench),
};

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row), ''];
const sizes = (entry, without) =>
  Object.entries(entry)
    .filter(([key]) => !besides.includes(key) && !without.includes(key))
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
const baselines = ({ us, baselines_us: times = {} }) =>
  Object.entries(times)
    .map(([key, value]) => `${key} ${value.toFixed(1)} (${(value / us).toFixed(2)})`)
    .join(', ');
const rate = (entry) => (entry.what === 'model' ? `${((entry.batch_size * entry.seq_len) / entry.us).toFixed(3)} M tokens/s, ` : '');
const text = [
  `# ${device}`,
  `Compute capability ${capability}, driver ${driver}, ${date}, commit ${commit}. Made by \`scripts/gpu-visit.sh merge\`.`,
  '',
  '## Steps of the last visit',
  ...table(
    ['step', 'verdict', 'seconds', 'reason'],
    visit.steps.map(({ step, verdict, seconds, reason }) => [step, verdict, seconds, reason.replaceAll('|', '/')]),
  ),
  '## Bench',
  'Microseconds; of each baseline also its time / ours.',
  '',
  ...table(
    ['what', 'sizes', 'us', 'rate', 'baselines'],
    data.bench.map((entry) => [entry.what, sizes(entry, ['what']), entry.us, `${rate(entry)}${entry.tflops} TFLOP/s`, baselines(entry)]),
  ),
  '## Probe',
  ...table(
    ['part', 'of what', 'result'],
    data.probe.map((entry) => [
      entry.probe,
      sizes(entry, ['probe']),
      results
        .filter((key) => key in entry)
        .map((key) => `${key} ${entry[key]}`)
        .join(', '),
    ]),
  ),
].join('\n');

mkdirSync(to, { recursive: true });
for (const [path, content] of [
  [file, `${JSON.stringify(data, undefined, 1)}\n`],
  [join(to, `${name}.md`), text],
]) {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
process.stdout.write(`${file}: ${data.bench.length} measurements, ${data.probe.length} of the probe, ${data.visits.length} visits\n`);
