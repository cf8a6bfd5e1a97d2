import { once } from 'node:events';
import {
  generate,
  generateStream,
  summarize,
  translate,
  type GeneratedText,
  type GenerateOptions,
  type SummarizeOptions,
  type TranslateOptions,
  type Translation,
} from '../../../index.js';
import { wrongOption } from '../../../expected.js';
import { openTexts } from '../../input.js';
import { runTextTask, scoreTable, textsOf, title, withModel, type TaskFlags } from '../../task-runner.js';

/** Writes the translation of every text. */
export async function translateTexts(texts: readonly string[], flags: TaskFlags, options: TranslateOptions): Promise<void> {
  await runTextTask<Translation>(texts, flags, {
    head: 'translation',
    run: (model, items) => translate(model, textsOf(items), options),
    toObject: ({ text, ...rest }) => ({ translation: text, ...rest }),
    toLine: ({ text }) => text,
    render: (item, { text, truncated }) => `${title(item.text, truncated)}${text}\n`,
  });
}

/** Writes the summary of every text. */
export async function summarizeTexts(texts: readonly string[], flags: TaskFlags, options: SummarizeOptions): Promise<void> {
  await runTextTask<GeneratedText>(texts, flags, {
    head: 'summarization',
    run: (model, items) => summarize(model, textsOf(items), options),
    toObject: (result) => ({ summary: result.text, ...toFields(result) }),
    toLine: ({ text }) => text,
    render: (item, { text, truncated }) => `${title(item.text, truncated)}${text}\n`,
  });
}

/** Writes what a model makes of every text, or how it goes on; with `stream` as it comes. */
export async function generateTexts(
  texts: readonly string[],
  flags: TaskFlags & { readonly stream?: true },
  options: GenerateOptions,
): Promise<void> {
  if (flags.stream === true) return streamTexts(texts, flags, options);
  await runTextTask<readonly GeneratedText[]>(texts, flags, {
    head: 'text-generation',
    run: (model, items) => generate(model, textsOf(items), options),
    toObject: (all) => ({ generated: all.map((each) => ({ text: each.text, ...toFields(each) })) }),
    toLine: (all) => all.map(({ text }) => text).join('\t'),
    render: ({ text }, all) =>
      title(text, all[0]!.truncated) +
      (all.length === 1 ? `${all[0]!.text}\n` : scoreTable(all.map((each) => [each.score, each.text]))) +
      (all[0]!.seed === undefined ? '' : `seed ${all[0]!.seed}\n`),
  });
}

async function streamTexts(texts: readonly string[], flags: TaskFlags, options: GenerateOptions): Promise<void> {
  if (flags.format === 'jsonl' || flags.output !== undefined)
    throw wrongOption('--stream with text on standard output', flags.output === undefined ? '--format jsonl' : '--output');
  await withModel(flags, 'text-generation', async (model) => {
    for await (const items of (await openTexts(texts, flags)).blocks)
      for (const { text } of items) {
        for await (const part of generateStream(model, text, options)) {
          // A line for each text, as in other formats.
          if (!process.stdout.write(part.text.replace(/\s*[\n\r]\s*/g, ' '))) await once(process.stdout, 'drain');
        }
        process.stdout.write('\n');
      }
  });
}

/** What a line of JSON holds of a text besides itself. */
function toFields({ score, finishReason, seed, ids, tokens, truncated }: GeneratedText): object {
  return { score, finishReason, ...(seed === undefined ? {} : { seed }), newTokens: ids.length, tokens, truncated };
}
