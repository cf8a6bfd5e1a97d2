import { colors } from '../terminal/colors.js';
import { compare, comparisonHtml, comparisonSvg, type Comparison, type CompareOptions, type Difference } from '../../index.js';
import { openTexts, readAll, type InputFlags } from '../input.js';
import { openOutput } from '../output.js';
import { fit, table } from '../terminal/table.js';
import { textsOf } from '../task-runner.js';
import { shorten, terminalWidth } from '../terminal/width.js';

/** The flags of `bertha compare`, as commander hands them over. */
export interface CompareFlags extends InputFlags {
  readonly reference?: string;
  readonly with?: string;
  readonly precision?: string;
  readonly tolerance?: number;
  readonly threads?: number;
  readonly svg?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const kTextsShown = 20;

/** Prints how far a model's values lie from others; the exit code is 1 beyond the tolerance. */
export async function runCompare(model: string | undefined, flags: CompareFlags): Promise<number> {
  const { reference, with: other, precision, tolerance, threads, svg, html } = flags;
  const texts = flags.file === undefined ? undefined : textsOf(await readAll(await openTexts([], flags)));
  const options = { reference, with: other, precision, texts, tolerance, threads } as CompareOptions;
  const comparison = await compare(model, options);
  for (const [file, draw] of [[svg, comparisonSvg] as const, [html, comparisonHtml] as const]) {
    if (file === undefined) continue;
    const output = await openOutput(file, { patchable: false });
    await output.write(draw(comparison));
    await output.finish();
  }
  const output = await openOutput(undefined, { patchable: false });
  await output.write(flags.json === true ? `${JSON.stringify(comparison, undefined, 2)}\n` : describe(comparison));
  return comparison.within ? 0 : 1;
}

function describe({ model, against, precision, tolerance, layers, texts, worst, firstDeparture, within }: Comparison): string {
  const layerRows = layers.map((layer, i) => [layer, ...numbers(worst[i]!), verdict(worst[i]!, tolerance)]);
  const last = layers.length - 1;
  const right = (name: string, width: number) => ({ name, width, align: 'right' as const });
  const measures = [right('max abs', 9), right('relative L2', 11), right('cosine', 10)];
  const textColumns = fit(
    [right('#', 5), { name: 'text', width: 40 }, right('tokens', 6), ...measures, { name: 'departs at', width: 12 }],
    terminalWidth(),
    'text',
    8,
  );
  const textRows = texts
    .slice(0, kTextsShown)
    .map(({ text, tokens, differences, firstDeparture: first }, i) => [
      String(i),
      shorten(text, textColumns[1]!.width),
      String(tokens),
      ...numbers(differences[last]!),
      first ?? 'none',
    ]);
  const more = texts.length > kTextsShown ? `… and ${texts.length - kTextsShown} more (--json and --html have all)\n` : '';
  return [
    `${colors.bold(model)} against ${colors.bold(against)}\n`,
    `computed in ${precision.chosen}: ${precision.reason}${precision.calibration === undefined ? '' : `; calibrated on ${precision.calibration}`}\n\n`,
    `The worst of ${texts.length} texts, layer by layer\n`,
    table([{ name: 'layer', width: 12 }, ...measures, { name: '', width: 8 }], layerRows, { header: true }),
    `\nText by text, ${layers[last]}\n`,
    table(textColumns, textRows, { header: true }),
    more,
    within
      ? colors.green(`\nWithin the tolerance of ${tolerance}.\n`)
      : colors.red(`\nBeyond the tolerance of ${tolerance}, first at ${firstDeparture}.\n`),
  ].join('');
}

function numbers({ maxAbs, relativeL2, cosine }: Difference): string[] {
  return [maxAbs.toExponential(2), relativeL2.toExponential(2), cosine.toFixed(7)];
}

function verdict({ relativeL2 }: Difference, tolerance: number): string {
  return relativeL2 <= tolerance ? '' : colors.red('departs');
}
