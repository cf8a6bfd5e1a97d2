import { colors } from '../../terminal/colors.js';
import { recognizeEntities, type Entity, type EntityOptions, type RecognizedText } from '../../../index.js';
import { runTextTask, textsOf, type TaskFlags } from '../../task-runner.js';
import { visible } from '../../terminal/width.js';

/** Writes every text with its entities marked. */
export async function ner(texts: readonly string[], flags: TaskFlags, options: EntityOptions): Promise<void> {
  await runTextTask<RecognizedText>(texts, flags, {
    head: 'token-classification',
    run: (model, items) => recognizeEntities(model, textsOf(items), options),
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
