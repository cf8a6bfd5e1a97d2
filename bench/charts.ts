import { ratios, rowName, type Results } from './results.js';
import { importRival } from './rivals.js';

interface VegaLite {
  compile(spec: object): { readonly spec: object };
}
interface Vega {
  parse(spec: object): object;
  View: new (runtime: object, options: object) => { toSVG(): Promise<string> };
}

/** Speed against onnxruntime-node's fp32 at one text of 8 to 512 tokens, and in batches: bars by engine, as SVG. */
export async function ratioChart(results: Results, threads: number): Promise<string> {
  const values = results.rows
    .filter((row) => row.kind === 'text' && !row.contended && row.threads === threads && !row.case.includes('mixed'))
    .flatMap((row) =>
      Object.entries(row.timings)
        .filter(([name]) => !name.endsWith(' sync'))
        .map(([engine, { median }]) => ({ row: rowName(row), engine, ratio: ratios(row, median)?.arrival ?? 0 })),
    );
  const rows = [...new Set(values.map(({ row }) => row))];
  const engines = [...new Set(values.map(({ engine }) => engine))];
  return draw({
    title: `Times the speed of onnxruntime-node fp32, ${threads} ${threads === 1 ? 'thread' : 'threads'}, text to vector`,
    data: { values },
    width: { step: 7 },
    height: 260,
    mark: 'bar',
    encoding: {
      x: { field: 'row', sort: rows, title: null, axis: { labelAngle: -35 } },
      xOffset: { field: 'engine', sort: engines },
      y: { field: 'ratio', type: 'quantitative', title: null },
      color: { field: 'engine', sort: engines, title: null, legend: { labelLimit: 260 }, scale: { scheme: 'tableau20' } },
    },
  });
}

/** Texts per second on texts of mixed length: a bar for every engine and way of batching, as SVG. */
export async function mixedChart(results: Results, threads: number): Promise<string> {
  const row = results.rows.find(
    (each) => each.case.includes('mixed') && each.kind === 'text' && !each.contended && each.threads === threads,
  );
  const values = Object.entries(row?.timings ?? {}).map(([engine, { median }]) => ({
    engine,
    speed: (1000 * row!.texts) / median,
    who: engine.startsWith('bertha') ? 'Bertha' : 'rivals',
  }));
  return draw({
    title: `Texts per second, 256 texts of mixed length, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    data: { values },
    width: 520,
    mark: 'bar',
    encoding: {
      y: { field: 'engine', sort: '-x', title: null, axis: { labelLimit: 400 } },
      x: { field: 'speed', type: 'quantitative', title: null },
      color: { field: 'who', legend: null },
    },
  });
}

async function draw(spec: object): Promise<string> {
  const [vegaLite, vega] = [(await importRival('vega-lite')) as VegaLite, (await importRival('vega')) as Vega];
  const whole = { $schema: 'https://vega.github.io/schema/vega-lite/v6.json', background: 'white', ...spec };
  const view = new vega.View(vega.parse(vegaLite.compile(whole).spec), { renderer: 'none' });
  return `${await view.toSVG()}\n`;
}
