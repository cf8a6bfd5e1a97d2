import { loadModel, type LoadModelOptions, type Model } from '../index.js';
import { showDownload } from './download-progress.js';
import type { ModelFlags } from './flags.js';
import { openTexts } from './input.js';
import { openOutput, type Output } from './output.js';
import { showProgress } from './progress.js';
import { shorten, table, type Column } from './table.js';

/** The flags that all tasks have, as commander hands them over. */
export interface TaskFlags extends ModelFlags {
  readonly file?: string;
  readonly format: 'table' | 'jsonl';
  readonly output?: string;
  /** The whole input is one text. */
  readonly whole?: boolean;
}

/** A task over texts one by one. */
export interface TextTask<Result> {
  /** Whether it needs a head of the model. */
  readonly heads: boolean;
  run(model: Model, texts: readonly string[]): Promise<readonly Result[]>;
  /** What a line of JSON holds besides `index` and `text`. */
  toObject(result: Result): object;
  /** What a person sees; ends with a newline. */
  render(text: string, result: Result): string;
}

/** Runs a task over the texts and writes the results as they come. */
export async function runTextTask<Result>(texts: readonly string[], flags: TaskFlags, task: TextTask<Result>): Promise<void> {
  await withModel(flags, task.heads, async (model, output) => {
    const source = await openTexts(texts, flags.file);
    const progress = showProgress(source);
    const blocks = flags.whole === true ? joined(source.blocks) : source.blocks;
    let index = 0;
    try {
      for await (const block of blocks) {
        const results = await task.run(model, block);
        const lines = block.map((text, i) =>
          flags.format === 'jsonl'
            ? `${JSON.stringify({ index: index + i, text, ...task.toObject(results[i]!) })}\n`
            : `${index + i === 0 ? '' : '\n'}${task.render(text, results[i]!)}`,
        );
        await output.write(lines.join(''));
        index += block.length;
        progress.add(block);
      }
    } finally {
      progress.stop();
    }
  });
}

/** Every text of a command in one list: for tasks that compare them with each other. */
export async function readAllTexts(texts: readonly string[], flags: TaskFlags): Promise<string[]> {
  const all: string[] = [];
  for await (const block of (await openTexts(texts, flags.file)).blocks) all.push(...block);
  return all;
}

/** Loads the model and opens the output; finishes the one and disposes of the other. */
export async function withModel(flags: TaskFlags, heads: boolean, work: (model: Model, output: Output) => Promise<void>): Promise<void> {
  const { threads, precision, device, weightCache } = flags;
  const output = await openOutput(flags.output, { patchable: false });
  const model = await loadModel(flags.model, {
    heads,
    threads,
    precision,
    device,
    weightCache,
    onProgress: showDownload(),
  } as LoadModelOptions);
  try {
    await work(model, output);
    await output.finish();
  } finally {
    model.dispose();
  }
}

async function* joined(blocks: AsyncIterable<readonly string[]>): AsyncGenerator<readonly string[]> {
  const lines: string[] = [];
  for await (const block of blocks) lines.push(...block);
  if (lines.length > 0) yield [lines.join('\n')];
}

const kNarrowest = 40;
const kScoreWidth = 9;

/** Columns of the terminal; 100 where there is none. */
export function terminalWidth(): number {
  return Math.max(kNarrowest, process.stdout.columns ?? 100);
}

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

/** A whole text with control characters made visible. */
export function visible(text: string): string {
  return shorten(text, Infinity);
}
