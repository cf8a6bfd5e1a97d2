// Writes the tables and charts of docs/performance.md from bench/results/*/results.json; the text around them is written by hand.
//   npm run bench:report
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mixedChart, ratioChart } from './charts.js';
import { kinds, ratios, reference, rowName, type LoadRow, type Results, type Row } from './results.js';
import { installRivals } from './rivals.js';
import { allVerdicts } from './table.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/performance.md');
const charts = join(root, 'docs/performance');
const begin = '<!-- made by npm run bench:report -->';
const end = '<!-- end of what npm run bench:report makes -->';

const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const cell = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [cell(head), cell(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...body.map(cell)].join('\n');
const threadsText = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

function machineSection({ machine, date, load, engines, leftOut, peak }: Results): string {
  const versions = new Map(engines.map(({ name, version }) => [name.split(' ')[0]!, version]));
  const lines = [
    `${machine.processors} processors (${machine.family}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}; kernels for ${machine.instructionSet}, compiler ${machine.compiler} with ${machine.flags}, ${machine.builder}, Node ${machine.node}. Measured on ${date}.`,
    [...versions].map(([name, version]) => `${name} ${version}`).join(', ') + '.',
  ];
  if (load.before !== undefined && load.during !== undefined) {
    lines.push(`Idle before the run: ${percent(load.before.idle)}; taken by other guests during it: ${percent(load.during.steal)}.`);
  }
  if (Object.keys(peak).length > 0) {
    const peaks = Object.entries(peak).map(([name, value]) => `${name} ${Math.round(value)}`);
    lines.push(`Peak of one core, gigaflops: ${peaks.join(', ')}.`);
  }
  if (leftOut.length > 0) lines.push(`Not measured: ${leftOut.map((each) => each.replace(/\.$/, '')).join('; ')}.`);
  return lines.join('\n\n');
}

/** Medians of one kind and thread count: a line a case, a column an engine, with the ratio to onnxruntime-node fp32. */
function timesTable(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.timings)))];
  return table(
    ['case', ...names],
    rows.map((row) => [
      rowName(row),
      ...names.map((name) => {
        const timing = row.timings[name];
        if (timing === undefined) return '';
        const against = ratios(row, timing.median);
        return `${number(timing.median)}${against === undefined ? '' : ` (${against.arrival.toFixed(2)}x)`}`;
      }),
    ]),
  );
}

/** What a row of many contestants needs: a line each. */
function contestantsTable(row: Row, { peak, engines }: Results): string {
  const head = ['engine', 'min ms', 'median ms', 'p99 ms', 'texts/s', 'tokens/s', 'x arrival order', 'x best order', 'of peak'];
  return table(
    head,
    Object.entries(row.timings).map(([name, { min, median, p99 }]) => {
      const against = ratios(row, median);
      const top = peak[engines.find((each) => name.startsWith(each.name))?.precision ?? ''];
      const share = top === undefined ? '' : percent((row.gigaFlops * 1000) / median / (top * row.threads));
      const speeds = [row.texts, row.tokens].map((count) => Math.round((1000 * count) / median).toString());
      const x = against === undefined ? ['', ''] : [against.arrival.toFixed(2), against.best.toFixed(2)];
      return [name, number(min), number(median), number(p99), ...speeds, ...x, share];
    }),
  );
}

function targetsTable(results: Results): string {
  const found = allVerdicts(results);
  const missed = found.filter(({ met }) => !met).length;
  const lines = table(
    ['case', 'engine', 'threads', 'against', 'times its speed', 'target', ''],
    found.map(({ row, engine, threads, against, ratio, target, met }) => [
      row,
      engine,
      String(threads),
      against,
      ratio.toFixed(2),
      String(Number(target.toFixed(2))),
      met ? 'met' : '**missed**',
    ]),
  );
  return `${found.length - missed} of ${found.length} met.\n\n${lines}`;
}

const loadsTable = (loads: readonly LoadRow[]): string =>
  table(
    ['engine', 'threads', 'min ms', 'median ms', "of onnxruntime's time"],
    loads.flatMap(({ threads, timings }) =>
      Object.entries(timings).map(([name, { min, median }]) => {
        const rival = timings[reference]?.median;
        return [name, String(threads), number(min), number(median), rival === undefined ? '' : (median / rival).toFixed(2)];
      }),
    ),
  );

async function section(slug: string, results: Results): Promise<string> {
  const parts = [`## ${results.machine.cpu}, ${results.machine.family}, ${results.machine.instructionSet}`, machineSection(results)];
  const threadCounts = [...new Set(results.rows.map(({ threads }) => threads))];
  parts.push('### Targets', targetsTable(results));
  for (const kind of kinds) {
    for (const threads of threadCounts) {
      const rows = results.rows.filter((row) => row.kind === kind && row.threads === threads && !row.contended);
      const even = rows.filter((row) => !row.case.includes('mixed'));
      if (even.length === 0) continue;
      parts.push(`### ${kind === 'text' ? 'Text to vector' : 'From token ids'}, ${threadsText(threads)}`);
      parts.push('Median milliseconds; in brackets how many times the speed of onnxruntime-node fp32.');
      if (kind === 'text') {
        writeFileSync(join(charts, `${slug}-${threads}.svg`), await ratioChart(results, threads));
        parts.push(`![Speed by length](performance/${slug}-${threads}.svg)`);
      }
      parts.push(timesTable(even));
      for (const row of rows.filter((each) => each.case.includes('mixed'))) {
        parts.push(`#### ${rowName(row)}, ${threadsText(threads)}`);
        if (kind === 'text') {
          writeFileSync(join(charts, `${slug}-mixed-${threads}.svg`), await mixedChart(results, threads));
          parts.push(`![Texts per second](performance/${slug}-mixed-${threads}.svg)`);
        }
        parts.push(contestantsTable(row, results));
      }
    }
  }
  const contended = results.rows.filter((row) => row.contended);
  if (contended.length > 0) {
    parts.push('### Beside one busy process');
    for (const row of contended) parts.push(`${rowName(row)}, ${threadsText(row.threads)}`, contestantsTable(row, results));
  }
  if (results.loads.length > 0) {
    parts.push('### Loading and the first vector');
    parts.push(
      'Bertha from the directory, tokenizer included; onnxruntime-node from the ONNX file, without a tokenizer; in turns in one process.',
    );
    parts.push(loadsTable(results.loads));
  }
  return parts.join('\n\n');
}

async function main(): Promise<void> {
  installRivals();
  const folder = join(root, 'bench/results');
  const slugs = existsSync(folder) ? readdirSync(folder).filter((slug) => existsSync(join(folder, slug, 'results.json'))) : [];
  if (slugs.length === 0) throw new Error('Expected bench/results/<cpu>/results.json, which npm run bench writes, but received none.');
  mkdirSync(charts, { recursive: true });
  const sections: string[] = [];
  for (const slug of slugs.sort()) {
    sections.push(await section(slug, JSON.parse(readFileSync(join(folder, slug, 'results.json'), 'utf8')) as Results));
  }
  const old = existsSync(page) ? readFileSync(page, 'utf8') : `# Performance\n\n${begin}\n${end}\n`;
  const [head, rest] = old.split(begin);
  const tail = rest?.split(end)[1];
  if (tail === undefined) throw new Error(`Expected ${begin} and ${end} in docs/performance.md but received a page without them.`);
  writeFileSync(page, `${head}${begin}\n\n${sections.join('\n\n')}\n\n${end}${tail}`);
  process.stdout.write(`docs/performance.md: ${slugs.join(', ')}\n`);
}

await main();
