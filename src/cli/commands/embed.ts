import { unexpected } from '../../expected.js';
import { loadEmbedder, type Embedder, type EmbedSyncOptions, type LoadEmbedderOptions, type QuantizedVectors } from '../../index.js';
import { showDownload } from '../terminal/download-progress.js';
import type { ModelFlags } from '../flags.js';
import { openTexts, type InputFlags } from '../input.js';
import { readyGroups } from '../groups.js';
import { openOutput, type Output } from '../output.js';
import { requirePlain, writeOtherVectors, type OtherVectors } from './vectors/embed-other.js';
import { showProgress } from '../terminal/progress.js';
import { withFields, type Item } from '../readers/item.js';
import { EmbeddingTable } from '../writers/embedding-table.js';
import type { EmbeddedText, EmbeddingWriter } from '../writers/embedding-writer.js';
import { JsonLines } from '../writers/json-lines.js';
import { NpyWriter, SafetensorsWriter } from '../writers/matrix-file.js';
import { shortestDecimal } from '../../vectors/decimal.js';

/** The flags of `bertha embed`, as commander hands them over. */
export interface EmbedFlags extends ModelFlags, InputFlags, OtherVectors {
  readonly format: 'table' | 'jsonl' | 'npy' | 'safetensors';
  readonly output?: string;
}

/** Most results that are written in one go. */
const kGroup = 256;

/** Embeds the texts and writes the results as they come, with constant memory. */
export async function embed(texts: readonly string[], flags: EmbedFlags, options: EmbedSyncOptions): Promise<void> {
  const isBinary = flags.format === 'npy' || flags.format === 'safetensors';
  if (isBinary && flags.output === undefined && process.stdout.isTTY) {
    throw unexpected('USAGE', `--output or a pipe for the binary format ${flags.format}`, 'a terminal');
  }
  if (options.quantize !== undefined && flags.format === 'table') {
    throw unexpected('USAGE', '--format jsonl, npy or safetensors for --quantize', 'table');
  }
  const isOther = flags.sparse === true || flags.tokens === true;
  if (isOther) requirePlain(flags, flags.format, options);
  const source = await openTexts(texts, flags);
  const output = await openOutput(flags.output, { patchable: isBinary });
  const { threads, precision, device, weightCache, adapter } = flags;
  const embedder = await loadEmbedder(flags.model, {
    threads,
    precision,
    device,
    weightCache,
    adapter,
    onProgress: showDownload(),
  } as LoadEmbedderOptions);
  if (device === 'auto') process.stderr.write(`${embedder.device.chosen}: ${embedder.device.reason}\n`);
  if (precision === 'auto') process.stderr.write(`${embedder.precision.chosen}: ${embedder.precision.reason}\n`);
  try {
    if (isOther) {
      await writeOtherVectors(embedder, source, flags, options, output);
      await output.finish();
      return;
    }
    const writer = makeWriter(flags, options, embedder, output, source.longest);
    const progress = showProgress('embedding', source);
    let index = 0;
    let numTruncated = 0;
    const waiting: Item[] = [];
    const read = async function* () {
      for await (const block of source.blocks) {
        for (const item of block) {
          waiting.push(item);
          yield item.text;
        }
      }
    };
    try {
      for await (const embeddings of readyGroups(embedder.embedMany(read(), options), kGroup)) {
        const items = waiting.splice(0, embeddings.length);
        await writer.write(embeddings.map((embedding, i) => ({ ...embedding, index: index + i, item: items[i]! })));
        index += items.length;
        numTruncated += embeddings.filter(({ truncated }) => truncated).length;
        progress.add(items);
      }
    } finally {
      progress.stop();
    }
    await writer.finish();
    await output.finish();
    if (isBinary && numTruncated > 0) {
      process.stderr.write(`${numTruncated} of ${index} texts were cut at ${options.maxLength ?? embedder.maxTokens} tokens.\n`);
    }
  } finally {
    embedder.dispose();
  }
}

function makeWriter(
  flags: EmbedFlags,
  { dimensions, quantize }: EmbedSyncOptions,
  embedder: Embedder,
  output: Output,
  longest?: number,
): EmbeddingWriter {
  const width = dimensions ?? embedder.dimensions;
  switch (flags.format) {
    case 'table':
      return new EmbeddingTable(output, width, longest);
    case 'jsonl':
      return new JsonLines(output, ({ index, item, tokens, truncated, vector, quantized }: EmbeddedText) =>
        withFields(
          {
            index,
            text: item.text,
            tokens,
            truncated,
            ...(quantized === undefined ? { embedding: Array.from(vector, shortestDecimal) } : codesOf(quantized)),
          },
          item,
        ),
      );
    case 'npy':
      return new NpyWriter(output, width, quantize);
    case 'safetensors':
      return new SafetensorsWriter(output, width, quantize);
  }
}

/** A quantised vector's fields: component j is codes[j] * scale, or the sign in bit 7 - (j & 7) of byte j >> 3. */
function codesOf(vector: QuantizedVectors): object {
  const codes = Array.from(vector.codes);
  return vector.format === 'int8' ? { codes, scale: shortestDecimal(vector.scales[0]!) } : { codes, version: vector.version };
}
