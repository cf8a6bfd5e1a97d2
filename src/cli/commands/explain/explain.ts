import { unexpected } from '../../../expected.js';
import { explain, explainSimilarity, type AttributionOptions, type Explanation } from '../../../explain/index.js';
import { withEmbedder } from '../../embedded-items.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { colors } from '../../terminal/colors.js';
import { shorten, visible } from '../../terminal/width.js';
import { attributionText, signed } from './attribution-text.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain`, as commander hands them over. */
export interface ExplainFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly question?: string;
  readonly target?: string;
  readonly versus?: string;
  readonly faithfulness?: boolean;
  readonly method?: NonNullable<AttributionOptions['method']>;
  readonly baseline?: string;
  readonly steps?: number;
  readonly units?: NonNullable<AttributionOptions['units']>;
  readonly pairs?: number;
  readonly seed?: number;
}

/** Writes what each word of a text adds to the model's answer. */
export async function explainText(text: string | undefined, flags: ExplainFlags): Promise<void> {
  if (text === undefined) throw unexpected('USAGE', 'a text for bertha explain', 'none');
  const { pair: textPair, question, target: label, versus } = flags;
  if (textPair !== undefined && question !== undefined) throw unexpected('USAGE', 'either --pair or --question', 'both');
  const model = await loadForTask(flags, question === undefined ? 'text-classification' : 'question-answering');
  try {
    const input = question !== undefined ? { question, context: text } : textPair === undefined ? text : { text, textPair };
    const found = await explain(model, input, { ...optionsOf(flags), target: { label, versus }, faithfulness: flags.faithfulness });
    await writeResult(found, flags, () => attributionText(found, titleOf(found)) + faithfulnessText(found));
  } finally {
    model.dispose();
  }
}

/** Writes what each word of two texts adds to their similarity. */
export async function explainTwo(first: string, second: string, flags: ExplainFlags): Promise<void> {
  await withEmbedder(flags as Parameters<typeof withEmbedder>[0], async (embedder) => {
    const found = await explainSimilarity(embedder, first, second, optionsOf(flags));
    const strongest = strongestPairs(found);
    await writeResult(found, flags, () =>
      [
        attributionText(found.a, `Why is the cosine ${found.cosine.toFixed(3)}? The words of the first text`),
        '\n',
        attributionText(found.b, 'The words of the second text'),
        `\n${colors.bold(found.additive ? 'Pairs of tokens that add most to the cosine' : 'Pairs of tokens that are most alike')}\n`,
        ...strongest.map(({ a, b, value }) => `  ${visible(a)}  ${visible(b)}  ${signed(value)}\n`),
      ].join(''),
    );
  });
}

function strongestPairs({ map, tokensA, tokensB }: Awaited<ReturnType<typeof explainSimilarity>>) {
  const width = tokensB.length;
  return Array.from(map.data, (value, i) => ({ value, a: tokensA[Math.floor(i / width)]!, b: tokensB[i % width]! }))
    .filter(({ a, b }) => !a.special && !b.special)
    .sort((one, other) => other.value - one.value)
    .slice(0, 8)
    .map(({ value, a, b }) => ({ value, a: a.token, b: b.token }));
}

function optionsOf({ method, baseline, steps, units, pairs, seed }: ExplainFlags): AttributionOptions {
  const isNamed = baseline === 'pad' || baseline === 'mask' || baseline === 'zero';
  return { method, baseline: baseline === undefined || isNamed ? baseline : { token: baseline }, steps, units, pairs, seed };
}

function titleOf({ target: { head, label, versus }, text }: Explanation): string {
  const answer = versus === undefined ? label : `${label} and not ${versus}`;
  return head === 'maskedLm' ? `Why the word ${visible(answer)}?` : `Why ${visible(answer)}? ${shorten(text, 60)}`;
}

function faithfulnessText({ faithfulness }: Explanation): string {
  if (faithfulness === undefined) return '';
  const { shares, comprehensiveness, sufficiency, random } = faithfulness;
  const lines = shares.map((share, i) => {
    const without = `without them ${signed(comprehensiveness[i]!)} (random words ${signed(random.comprehensiveness[i]!)})`;
    return `  best ${100 * share} %: the score loses ${without}, with them alone ${signed(sufficiency[i]!)} (${signed(random.sufficiency[i]!)})\n`;
  });
  return `\n${colors.bold('Faithfulness')}\n${lines.join('')}`;
}
