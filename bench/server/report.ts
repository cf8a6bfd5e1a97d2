import type { Case, Turn } from './measurement.js';
import type { ServedPrecision } from './servers.js';

/** What the server is meant to reach. */
interface Target {
  readonly what: string;
  readonly value: number;
  readonly wanted: number;
  readonly isMost?: boolean;
  readonly unit: string;
}

const kOverheadMs = 0.35;
/** JSON may reach so many points less of the bulk rate than base64. */
const kJsonPoints = 10;

/** Tables of the medians, one for each precision and length of texts, and after each what was wanted of it. `enginesRatio` may know the library's lead over the best rival at 128 tokens. */
export function tables(
  cases: readonly Case[],
  turns: readonly Turn[],
  enginesRatio: (precision: ServedPrecision) => number | undefined,
): string {
  const groups = new Map(cases.map((each) => [`${each.precision}, ${each.tokens} tokens`, each]));
  const lines: string[] = [];
  for (const [title, { precision, tokens }] of groups) {
    const own = turns.filter(({ of }) => of.precision === precision && of.tokens === tokens);
    lines.push(
      '',
      title,
      '| connections | server | requests/s | p50 ms | p99 ms | failed | ms of the server | ms of the load | best rival |',
    );
    lines.push('|---|---|---|---|---|---|---|---|---|');
    for (const connections of new Set(own.map(({ of }) => of.connections))) {
      lines.push(...rows(own.filter(({ of }) => of.connections === connections)));
    }
    lines.push('', ...libraryLines(own));
    for (const { what, value, wanted, isMost = false, unit } of targets(own, precision, tokens, enginesRatio(precision))) {
      const isMet = isMost ? value <= wanted : value >= wanted;
      lines.push(
        `- ${isMet ? 'met' : 'MISSED'}: ${what} ${value.toFixed(2)}${unit}, wanted ${isMost ? 'at most' : 'at least'} ${wanted.toFixed(2)}${unit}`,
      );
    }
  }
  lines.push(
    '',
    'ms of the server, of the load: processor time a request. Shares, ratios and differences: medians of those of each round.',
  );
  return `${lines.join('\n')}\n`;
}

function rows(turns: readonly Turn[]): string[] {
  const byName = new Map<string, Turn[]>();
  for (const turn of turns) byName.set(nameOf(turn), [...(byName.get(nameOf(turn)) ?? []), turn]);
  return Array.from(byName, ([name, each]) => {
    const of = (key: 'perSecond' | 'p50' | 'p99' | 'failed' | 'serverMs' | 'loadMs', digits: number): string =>
      median(each.map((turn) => turn[key])).toFixed(digits);
    const [more, sooner] = [ratioToRivals(turns, each, 'perSecond'), ratioToRivals(turns, each, 'p99')];
    const ratio = each[0]!.server.isRival || Number.isNaN(more) ? '' : `${more.toFixed(2)}x requests, ${sooner.toFixed(2)}x p99`;
    const cells = [
      each[0]!.of.connections,
      name,
      of('perSecond', 0),
      of('p50', 2),
      of('p99', 2),
      of('failed', 0),
      of('serverMs', 3),
      of('loadMs', 3),
    ];
    return `| ${[...cells, ratio].join(' | ')} |`;
  });
}

function libraryLines(turns: readonly Turn[]): string[] {
  return [1, 64].flatMap((connections) => {
    const found = turns.flatMap(({ of, library }) => (of.connections === connections && library !== undefined ? [library] : []));
    if (found.length === 0) return [];
    const [perSecond, processorMs] = [median(found.map((each) => each.perSecond)), median(found.map((each) => each.processorMs))];
    const what = connections === 1 ? `one text after the other: p50 ${median(found.map(({ p50 }) => p50!)).toFixed(2)} ms` : 'in bulk';
    return [`The library ${what}, ${perSecond.toFixed(0)} texts/s, ${processorMs.toFixed(3)} ms of processor time a text.`, ''];
  });
}

function targets(turns: readonly Turn[], precision: ServedPrecision, tokens: number, enginesRatio: number | undefined): Target[] {
  const found: Target[] = [];
  const own = (connections: number, encoding: Turn['encoding']): Turn[] =>
    turns.filter((turn) => turn.of.connections === connections && turn.encoding === encoding && !turn.server.isRival);
  const at64 = turns.filter(({ of }) => of.connections === 64);
  const best = own(64, 'base64');
  const more = ratioToRivals(at64, best, 'perSecond');
  if (best.length > 0 && !Number.isNaN(more)) {
    const wanted = tokens <= 16 ? 3 : Math.max(1.3, 0.9 * (enginesRatio ?? 0));
    found.push({ what: 'requests/s against the best rival at 64 connections', value: more, wanted, unit: 'x' });
    found.push({ what: 'its p99 against ours', value: ratioToRivals(at64, best, 'p99'), wanted, unit: 'x' });
  }
  for (const encoding of ['base64', 'float'] as const) {
    const share = own(64, encoding).flatMap(({ perSecond, library }) =>
      library === undefined ? [] : (100 * perSecond) / library.perSecond,
    );
    const wanted = (precision === 'int8' && tokens <= 16 ? 75 : 90) - (encoding === 'float' ? kJsonPoints : 0);
    if (share.length > 0)
      found.push({ what: `${encoding} at 64 connections, of the library's bulk rate`, value: median(share), wanted, unit: ' %' });
  }
  for (const encoding of ['base64', 'float'] as const) {
    const over = own(1, encoding).flatMap(({ p50, library }) => (library === undefined ? [] : p50 - library.p50!));
    const what = `${encoding} with 1 connection, p50 over the library's`;
    if (over.length > 0) found.push({ what, value: median(over), wanted: kOverheadMs, isMost: true, unit: ' ms' });
  }
  return found;
}

/** How much better turns are than the best rival in their rounds: requests/s over its, or its p99 over theirs. NaN without a rival. */
function ratioToRivals(all: readonly Turn[], turns: readonly Turn[], what: 'perSecond' | 'p99'): number {
  const ratios = turns.map((turn) => {
    const rivals = all.filter(({ server, round }) => server.isRival && round === turn.round).map((each) => each[what]);
    return what === 'p99' ? Math.min(...rivals) / turn.p99 : turn.perSecond / Math.max(...rivals);
  });
  return turns.length > 0 && ratios.every(Number.isFinite) && ratios.every((ratio) => ratio > 0) ? median(ratios) : NaN;
}

function nameOf({ server, encoding }: Turn): string {
  return `${server.name}, ${encoding}`;
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}
