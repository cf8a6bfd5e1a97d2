import { colors } from '../../terminal/colors.js';
import { recognizeEntities, type AggregationStrategy, type Entity, type RecognizedText } from '../../../index.js';
import { runTextTask, textsOf, type TaskFlags } from '../../task-runner.js';
import { visible } from '../../terminal/width.js';

/** The flags of `bertha ner`. */
export interface NerFlags extends TaskFlags {
  readonly aggregation: AggregationStrategy;
  readonly stride?: number;
}

/** Writes every text with its entities marked. */
export async function ner(texts: readonly string[], flags: NerFlags): Promise<void> {
  await runTextTask<RecognizedText>(texts, flags, {
    heads: true,
    run: (model, items) => recognizeEntities(model, textsOf(items), { aggregationStrategy: flags.aggregation, stride: flags.stride }),
    toObject: (result) => ({ ...result }),
    render: ({ text }, { entities, truncated }) => `${markEntities(text, entities)}${truncated ? colors.dim(' (cut)') : ''}\n`,
  });
}

function markEntities(text: string, entities: readonly Entity[]): string {
  let marked = '';
  let at = 0;
  for (const { start, end, entity, entityGroup } of entities) {
    marked += `${visible(text.slice(at, start))}${colors.bold(colors.cyan(visible(text.slice(start, end))))}${colors.dim(`[${entityGroup ?? entity}]`)}`;
    at = end;
  }
  return marked + visible(text.slice(at));
}
