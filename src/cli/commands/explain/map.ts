import { mapTexts, type MapOptions } from '../../../explain/index.js';
import { segmentWords } from '../../../learn/index.js';
import { withEmbedder } from '../../embedded-items.js';
import { openTexts, readAll } from '../../input.js';
import type { TaskFlags } from '../../task-runner.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain map`. */
export interface MapFlags extends TaskFlags, OutputFlags {
  readonly method?: MapOptions['method'];
  readonly clusters?: number;
  readonly keywords?: number;
  readonly seed?: number;
}

const kHan = /\p{Script=Han}/u;

/** Writes clusters of texts with their keywords; as JSON every text's place and cluster. */
export async function showMap(texts: readonly string[], flags: MapFlags): Promise<void> {
  const { method, clusters, keywords, seed } = flags;
  await withEmbedder(flags, async (embedder) => {
    const read = (await readAll(await openTexts(texts, flags))).map(({ text }) => text);
    const own = read.filter((text) => text.trim() !== '');
    if (own.length < read.length)
      process.stderr.write(`${read.length - own.length} of ${read.length} texts are blank: they are left out.\n`);
    const analyzer = own.some((text) => kHan.test(text)) ? { tokenizer: segmentWords } : undefined;
    await writeResult(await mapTexts(embedder, own, { method, clusters, keywords, seed, analyzer }), outputOf(flags));
  });
}

/** What of the flags is about the output. */
function outputOf({ json, output, html, svg, language }: MapFlags): OutputFlags {
  return {
    ...(json !== undefined && { json }),
    ...(output !== undefined && { output }),
    ...(html !== undefined && { html }),
    ...(svg !== undefined && { svg }),
    ...(language !== undefined && { language }),
  };
}
