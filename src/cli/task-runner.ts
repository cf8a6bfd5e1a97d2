import { BerthaError } from '../errors.js';
import type { Model } from '../index.js';
import type { ModelFlags } from './flags.js';
import { loadForTask } from './flags/load-for-task.js';
import { openTexts, readAll, type InputFlags } from './input.js';
import { openOutput, type Output } from './output.js';
import { showProgress } from './terminal/progress.js';
import { withFields, type Item } from './readers/item.js';
import { table, type Column } from './terminal/table.js';
import { shorten, terminalWidth } from './terminal/width.js';

/** The flags that all tasks have, as commander hands them over. */
export interface TaskFlags extends ModelFlags, InputFlags {
  readonly format: 'table' | 'jsonl' | 'text';
  readonly output?: string;
  /** The whole input is one text. */
  readonly whole?: boolean;
}

/** A task over texts one by one. */
export interface TextTask<Result> {
  /** The task whose head it needs of the model, as transformers names it; none for vectors. */
  readonly head?: string;
  /** Whether an item has two texts. */
  readonly pairs?: boolean;
  run(model: Model, items: readonly Item[]): Promise<readonly Result[]>;
  /** What a line of JSON holds besides `index`, `text` and the input's other fields. */
  toObject(result: Result): object;
  /** What `--format text` writes on the text's line, where the command has that format. */
  toLine?(result: Result): string;
  /** What a person sees; ends with a newline. */
  render(item: Item, result: Result): string;
}

/** Runs a task over the texts and writes the results as they come. */
export async function runTextTask<Result>(texts: readonly string[], flags: TaskFlags, task: TextTask<Result>): Promise<void> {
  await withModel(flags, task.head, (model, output) =>
    writeEach(texts, flags, output, { ...task, run: (items) => task.run(model, items) }),
  );
}

/** Writes what `run` makes of each text, as it comes. */
export async function writeEach<Result>(
  texts: readonly string[],
  flags: TaskFlags,
  output: Output,
  task: Omit<TextTask<Result>, 'head' | 'run'> & { run(items: readonly Item[]): Promise<readonly Result[]> },
): Promise<void> {
  const source = await openTexts(texts, flags, { pairs: task.pairs === true });
  const progress = showProgress('computing', source);
  const blocks = flags.whole === true ? joined(source.blocks) : source.blocks;
  let index = 0;
  try {
    for await (const items of blocks) {
      const results = await placed(items, index, () => task.run(items));
      const lines = items.map((item, i) => {
        if (flags.format === 'text' && task.toLine !== undefined) return `${task.toLine(results[i]!).replace(/\s*[\n\r]\s*/g, ' ')}\n`;
        if (flags.format !== 'jsonl') return `${index + i === 0 ? '' : '\n'}${task.render(item, results[i]!)}`;
        const pair = item.pair === undefined ? {} : { text_pair: item.pair };
        return `${JSON.stringify(withFields({ index: index + i, text: item.text, ...pair, ...task.toObject(results[i]!) }, item))}\n`;
      });
      await output.write(lines.join(''));
      index += items.length;
      progress.add(items);
    }
  } finally {
    progress.stop();
  }
}

/** Runs a task that sorts all texts, and writes them in that order, with what came with them. */
export async function writeRanked(
  texts: readonly string[],
  flags: TaskFlags,
  head: string | undefined,
  rank: (model: Model, texts: readonly string[]) => Promise<readonly { readonly index: number; readonly score: number }[]>,
): Promise<void> {
  const items = await readAll(await openTexts(texts, flags));
  await withModel(flags, head, async (model, output) => {
    const ranked = await placed(items, 0, () => rank(model, textsOf(items)));
    await output.write(flags.format === 'jsonl' ? rankedLines(ranked, items) : rankedTable(ranked, items));
  });
}

/** A line of JSON for each ranked item. */
export function rankedLines(ranked: readonly { readonly index: number; readonly score: number }[], items: readonly Item[]): string {
  return ranked
    .map(({ index, score }) => `${JSON.stringify(withFields({ index, score, text: items[index]!.text }, items[index]!))}\n`)
    .join('');
}

/** A row of a table for each ranked item. */
export function rankedTable(ranked: readonly { readonly index: number; readonly score: number }[], items: readonly Item[]): string {
  return scoreTable(ranked.map(({ index, score }) => [score, items[index]!.text]));
}

/** The texts of items. */
export function textsOf(items: readonly Item[]): string[] {
  return items.map(({ text }) => text);
}

/** The texts of items that have two, as tasks take them. */
export function pairsOf(items: readonly Item[]): { text: string; textPair: string }[] {
  return items.map(({ text, pair }) => ({ text, textPair: pair! }));
}

/**
 * What `work` returns. An error that names the index of a text in its list names the line of the file instead, or the index among all
 * texts, of which the list begins at `first`.
 */
export async function placed<T>(items: readonly Item[], first: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BerthaError)) throw error;
    const message = error.message.replace(/\bat index (\d+)/, (whole, index: string) => {
      const item = items[Number(index)];
      if (item === undefined) return whole;
      return item.place === undefined ? `at index ${first + Number(index)}` : `in ${item.place}`;
    });
    throw message === error.message ? error : new BerthaError(error.code, message, { cause: error });
  }
}

/** Loads the model with the head for a task and opens the output; finishes the one and disposes of the other. */
export async function withModel(
  flags: TaskFlags,
  head: string | undefined,
  work: (model: Model, output: Output) => Promise<void>,
): Promise<void> {
  const output = await openOutput(flags.output, { patchable: false });
  const model = await loadForTask(flags, head);
  try {
    await work(model, output);
    await output.finish();
  } finally {
    model.dispose();
  }
}

async function* joined(blocks: AsyncIterable<readonly Item[]>): AsyncGenerator<readonly Item[]> {
  const lines: string[] = [];
  for await (const block of blocks) for (const { text } of block) lines.push(text);
  if (lines.length > 0) yield [{ text: lines.join('\n') }];
}

const kScoreWidth = 9;

/** Scores with what they are for, as wide as the terminal. */
export function scoreTable(rows: readonly (readonly [score: number, text: string])[]): string {
  const width = terminalWidth() - kScoreWidth - 2;
  const columns: Column[] = [
    { name: 'score', width: kScoreWidth, align: 'right' },
    { name: 'text', width },
  ];
  const cells = rows.map(([score, text]) => [score.toFixed(4), shorten(text, Math.max(8, width - 2))]);
  return table(columns, cells, { header: false });
}

/** A text on one line of the terminal. */
export function title(text: string, truncated: boolean): string {
  const note = truncated ? ' (cut)' : '';
  return `${shorten(text, terminalWidth() - note.length)}${note}\n`;
}
