import { ratios, rowName, type Results, type Row } from './results.js';
import { targetRatio } from './targets.js';

/** A target and what became of it. */
export interface Verdict {
  readonly row: string;
  readonly engine: string;
  readonly threads: number;
  readonly ratio: number;
  readonly target: number;
  readonly met: boolean;
}

/** The targets of one contestant of a row; only for text to vector on an otherwise idle machine. */
export function verdicts(row: Row, engine: string, precision: string, instructionSet: string): Verdict[] {
  const against = ratios(row, row.timings[engine]!.median);
  if (against === undefined || row.kind !== 'text' || row.contended) return [];
  const names: readonly [string, number][] = row.case.includes('mixed')
    ? [
        [`${rowName(row)}, arrival`, against.arrival],
        [`${rowName(row)}, best`, against.best],
      ]
    : [[rowName(row), against.arrival]];
  return names.flatMap(([name, ratio]) => {
    const target = targetRatio(name, instructionSet, precision);
    return target === undefined ? [] : [{ row: name, engine, threads: row.threads, ratio, target, met: ratio >= target }];
  });
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
    const aims = own.map(({ target, met }) => `${met ? 'met' : 'MISSED'} ${target}`).join(', ');
    return `  ${name.padEnd(30)}${ms(timing.median)} ms  (${ms(timing.min).trim()} … ${ms(timing.p99).trim()})${speed}${tokens}  ${ratio.padEnd(10)} ${share} ${aims}`.trimEnd();
  });
  return [head, ...lines].join('\n');
}
