import { encodeSlices, inSlices } from '../../calls/text-reader.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { loadTokenizer, type Encoding } from '../../index.js';
import { showDownload } from '../terminal/download-progress.js';
import { openTexts, type InputFlags } from '../input.js';
import { openOutput, type Output } from '../output.js';
import { fit, table, type Column } from '../terminal/table.js';
import { shorten, terminalWidth } from '../terminal/width.js';
import { withFields, type Item } from '../readers/item.js';
import { JsonLines } from '../writers/json-lines.js';

/** The flags of `bertha tokenize`, as commander hands them over. */
export interface TokenizeFlags extends InputFlags {
  readonly model?: string;
  readonly maxLength?: number;
  readonly specialTokens: boolean;
  readonly format: 'table' | 'jsonl';
  readonly output?: string;
}

interface TokenizedText {
  readonly index: number;
  readonly item: Item;
  readonly encoding: Encoding;
}

/** Writes ids, tokens and offsets of the texts, as they come. */
export async function tokenize(texts: readonly string[], flags: TokenizeFlags): Promise<void> {
  const source = await openTexts(texts, flags);
  const output = await openOutput(flags.output, { patchable: false });
  const tokenizer = await loadTokenizer(flags.model, { onProgress: showDownload() });
  const truncation = flags.maxLength === undefined ? {} : { truncation: true, maxLength: flags.maxLength };
  const options = { offsets: true, addSpecialTokens: flags.specialTokens, ...truncation };
  const writer = flags.format === 'table' ? new TokenTable(output) : new JsonLines(output, toObject);
  const budget = new Budget(undefined);
  let index = 0;
  for await (const block of source.blocks) {
    for (const item of block) {
      const encoding = await inSlices(encodeSlices(tokenizer, item.text, options), budget);
      await writer.write([{ index: index++, item, encoding }]);
    }
  }
  await writer.finish();
  await output.finish();
}

function toObject({ index, item, encoding }: TokenizedText): object {
  const { ids, tokens, truncated } = encoding;
  return withFields({ index, text: item.text, ids: Array.from(ids), tokens, offsets: pairs(encoding), truncated }, item);
}

function pairs({ ids, offsets }: Encoding): [number, number][] {
  return Array.from(ids, (_, i) => [offsets![2 * i]!, offsets![2 * i + 1]!]);
}

const kColumns: readonly Column[] = [
  { name: '#', width: 5, align: 'right' },
  { name: 'id', width: 6, align: 'right' },
  { name: 'token', width: 24 },
  { name: 'offsets', width: 15 },
  { name: 'text', width: 40 },
];

/** Rows that are laid out in one go: some 2 ms, a turn of the event loop. */
const kRowsAtOnce = 16;

class TokenTable {
  readonly #output: Output;
  readonly #budget = new Budget(undefined);

  constructor(output: Output) {
    this.#output = output;
  }

  async write(rows: readonly TokenizedText[]): Promise<void> {
    const columns = fit(kColumns, terminalWidth(), 'text');
    for (const { index, item, encoding } of rows) {
      const { tokens, ids } = encoding;
      const offsets = pairs(encoding);
      const cellsOf = (i: number): string[] => {
        const [start, end] = offsets[i]!;
        const text = shorten(item.text.slice(start, end), columns.at(-1)!.width);
        return [String(i), String(ids[i]), shorten(tokens[i]!, 24), `${start}–${end}`, text];
      };
      await this.#output.write(`${index === 0 ? '' : '\n'}text ${index}: ${tokens.length} tokens${encoding.truncated ? ', cut' : ''}\n`);
      for (let first = 0; first === 0 || first < tokens.length; first += kRowsAtOnce) {
        const count = Math.min(kRowsAtOnce, tokens.length - first);
        const cells = Array.from({ length: count }, (_, i) => cellsOf(first + i));
        await this.#output.write(table(columns, cells, { header: first === 0 }));
        if (this.#budget.isSpent) await this.#budget.yield();
      }
    }
  }

  async finish(): Promise<void> {}
}
