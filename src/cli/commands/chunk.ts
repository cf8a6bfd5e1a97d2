import { chunkText, loadTokenizer, type Chunk, type ChunkOptions } from '../../index.js';
import { showDownload } from '../terminal/download-progress.js';
import { openTexts } from '../input.js';
import { openOutput } from '../output.js';
import { withFields, type Item } from '../readers/item.js';
import { table } from '../terminal/table.js';
import type { TaskFlags } from '../task-runner.js';
import { shorten, terminalWidth } from '../terminal/width.js';

/** Cuts every text, or the whole input, into pieces that fit a model; needs no weights. */
export async function chunk(texts: readonly string[], flags: TaskFlags, options: ChunkOptions): Promise<void> {
  const source = await openTexts(texts, flags);
  const output = await openOutput(flags.output, { patchable: false });
  const tokenizer = await loadTokenizer(flags.model, { onProgress: showDownload() });
  const all: string[] = [];
  let index = 0;
  const write = async (item: Item): Promise<void> => {
    const { text } = item;
    const chunks = await chunkText(tokenizer, text, options);
    await output.write(
      flags.format === 'jsonl'
        ? chunks.map((each) => `${JSON.stringify(withFields({ index, ...each }, item))}\n`).join('')
        : render(index, chunks),
    );
    index++;
  };
  for await (const block of source.blocks) {
    for (const item of block) {
      if (flags.whole === true) all.push(item.text);
      else await write(item);
    }
  }
  if (flags.whole === true) await write({ text: all.join('\n') });
  await output.finish();
}

function render(index: number, chunks: readonly Chunk[]): string {
  const width = Math.max(16, terminalWidth() - 32);
  const columns = [
    { name: 'tokens', width: 7, align: 'right' },
    { name: 'place', width: 19 },
    { name: 'text', width },
  ] as const;
  const rows = chunks.map(({ text, start, end, tokens }) => [String(tokens), `${start}–${end}`, shorten(text, width - 2)]);
  return `${index === 0 ? '' : '\n'}${table(columns, rows, { header: true })}`;
}
