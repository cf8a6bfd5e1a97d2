import { unexpected } from '../../../expected.js';
import { checkExplanation, explain, explainSimilarity, type AttributionOptions } from '../../../explain/index.js';
import { withEmbedder } from '../../embedded-items.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { isPage, writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain`, as commander hands them over. */
export interface ExplainFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly question?: string;
  readonly target?: string;
  readonly versus?: string;
  readonly faithfulness?: boolean;
  readonly check?: boolean;
  readonly method?: NonNullable<AttributionOptions['method']>;
  readonly baseline?: string;
  readonly steps?: number;
  readonly units?: NonNullable<AttributionOptions['units']>;
  readonly pairs?: number;
  readonly seed?: number;
}

/** The methods that a check under random layers can repeat; `checkExplanation` refuses the others. */
type CheckedMethod = NonNullable<NonNullable<Parameters<typeof checkExplanation>[2]>['method']>;

/** Writes what each word of a text adds to the model's answer. */
export async function explainText(text: string | undefined, flags: ExplainFlags): Promise<void> {
  if (text === undefined) throw unexpected('USAGE', 'a text for bertha explain', 'none');
  const { pair: textPair, question, target: label, versus } = flags;
  if (textPair !== undefined && question !== undefined) throw unexpected('USAGE', 'either --pair or --question', 'both');
  const model = await loadForTask(flags, question === undefined ? 'text-classification' : 'question-answering');
  try {
    const input = question !== undefined ? { question, context: text } : textPair === undefined ? text : { text, textPair };
    const options = { ...optionsOf(flags), target: { label, versus } };
    const found = await explain(model, input, { ...options, faithfulness: flags.faithfulness ?? isPage(flags) });
    const { method, baseline, units, seed, target } = options;
    const checked = { target, method: method as CheckedMethod | undefined, baseline, units, seed };
    await writeResult(flags.check === true ? { ...found, check: await checkExplanation(model, input, checked) } : found, flags);
  } finally {
    model.dispose();
  }
}

/** Writes what each word of two texts adds to their similarity. */
export async function explainTwo(first: string, second: string, flags: ExplainFlags): Promise<void> {
  await withEmbedder(flags as Parameters<typeof withEmbedder>[0], async (embedder) => {
    await writeResult(await explainSimilarity(embedder, first, second, optionsOf(flags)), flags);
  });
}

function optionsOf({ method, baseline, steps, units, pairs, seed }: ExplainFlags): AttributionOptions {
  const isNamed = baseline === 'pad' || baseline === 'mask' || baseline === 'zero';
  return { method, baseline: baseline === undefined || isNamed ? baseline : { token: baseline }, steps, units, pairs, seed };
}
