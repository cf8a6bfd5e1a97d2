import { ratios, reference, rowName, type LoadRow, type Results, type Row } from './results.js';
import { loadTargets, targetsOf } from './targets.js';

/** A target and what became of it. */
export interface Verdict {
  readonly row: string;
  readonly engine: string;
  readonly threads: number;
  /** The rival that it is compared with. */
  readonly against: string;
  readonly ratio: number;
  readonly target: number;
  readonly met: boolean;
}

/** The targets of one contestant of a row; only for text to vector on an otherwise idle machine. */
export function verdicts(row: Row, engine: string, precision: string, instructionSet: string): Verdict[] {
  if (row.kind !== 'text' || row.contended) return [];
  const isMixed = row.case.includes('mixed');
  return (isMixed ? (['arrival', 'best'] as const) : (['arrival'] as const)).flatMap((order) => {
    const name = isMixed ? `${rowName(row)}, ${order}` : rowName(row);
    return targetsOf(name, instructionSet, precision).flatMap(({ against, times }) => {
      const ratio = ratios(row, row.timings[engine]!.median, against)?.[order];
      if (ratio === undefined) return [];
      return [{ row: name, engine, threads: row.threads, against, ratio, target: times, met: ratio >= times }];
    });
  });
}

/** The targets of loading and the first vector. */
export function loadVerdicts({ threads, timings }: LoadRow): Verdict[] {
  const rival = timings[reference]?.median;
  if (rival === undefined) return [];
  return Object.entries(loadTargets).flatMap(([engine, target]) => {
    const own = timings[engine]?.median;
    if (own === undefined) return [];
    const ratio = rival / own;
    return [{ row: 'load and first vector', engine, threads, against: reference, ratio, target, met: ratio >= target }];
  });
}

/** Every target of a run. */
export function allVerdicts({ rows, loads, engines, machine }: Pick<Results, 'rows' | 'loads' | 'engines' | 'machine'>): Verdict[] {
  const own = engines.filter(({ isRival }) => !isRival);
  return [
    ...rows.flatMap((row) =>
      own
        .filter(({ name }) => row.timings[name] !== undefined)
        .flatMap(({ name, precision }) => verdicts(row, name, precision, machine.instructionSet)),
    ),
    ...loads.flatMap(loadVerdicts),
  ];
}

/** The lines of one row: a line an engine, with its ratios to the reference and its share of the peak. */
export function formatRow(row: Row, results: Pick<Results, 'machine' | 'peak' | 'engines'>): string {
  const kind = row.kind === 'text' ? 'text to vector' : 'from token ids';
  const head = `${rowName(row)}, ${row.threads} ${row.threads === 1 ? 'thread' : 'threads'}, ${kind}${row.contended ? ', one busy neighbour' : ''}`;
  const lines = Object.entries(row.timings).map(([name, timing]) => {
    const engine = results.engines.find((each) => name === each.name || name.startsWith(`${each.name} (`));
    const against = ratios(row, timing.median);
    const ms = (value: number) => value.toFixed(value < 10 ? 3 : 1).padStart(8);
    const speed = `${Math.round((1000 * row.texts) / timing.median)} texts/s`.padStart(15);
    const tokens = `${Math.round((1000 * row.tokens) / timing.median)} tokens/s`.padStart(17);
    const isMixed = row.case.includes('mixed');
    const ratio =
      against === undefined ? '' : `${against.arrival.toFixed(2)}x${isMixed ? ` arrival ${against.best.toFixed(2)}x best` : ''}`;
    const peak = results.peak[engine?.precision ?? ''];
    const share = peak === undefined ? '' : `${Math.round((100 * row.gigaFlops * 1000) / timing.median / (peak * row.threads))}% of peak`;
    const own = engine !== undefined && !engine.isRival ? verdicts(row, name, engine.precision, results.machine.instructionSet) : [];
    const aims = own
      .map(({ against, target, met }) => `${met ? 'met' : 'MISSED'} ${target}${against === reference ? '' : ` (${against})`}`)
      .join(', ');
    return `  ${name.padEnd(30)}${ms(timing.median)} ms  (${ms(timing.min).trim()} … ${ms(timing.p99).trim()})${speed}${tokens}  ${ratio.padEnd(10)} ${share} ${aims}`.trimEnd();
  });
  return [head, ...lines].join('\n');
}
