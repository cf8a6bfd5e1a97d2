import { mapTexts } from '../../../explain/index.js';
import { segmentWords } from '../../../learn/index.js';
import { withEmbedder } from '../../embedded-items.js';
import { openTexts, readAll } from '../../input.js';
import type { TaskFlags } from '../../task-runner.js';
import { colors } from '../../terminal/colors.js';
import { shorten, terminalWidth, visible } from '../../terminal/width.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain map`. */
export interface MapFlags extends TaskFlags, OutputFlags {
  readonly clusters?: number;
  readonly keywords?: number;
  readonly seed?: number;
}

/** Texts of a group that are shown. */
const kShown = 3;
const kHan = /\p{Script=Han}/u;

/** Writes clusters of texts with their keywords; as JSON every text's place and cluster. */
export async function showMap(texts: readonly string[], flags: MapFlags): Promise<void> {
  const { clusters, keywords, seed, output, json } = flags;
  await withEmbedder(flags, async (embedder) => {
    const own = (await readAll(await openTexts(texts, flags))).map(({ text }) => text);
    const analyzer = own.some((text) => kHan.test(text)) ? { tokenizer: segmentWords } : undefined;
    const found = await mapTexts(embedder, own, { clusters, keywords, seed, analyzer });
    await writeResult(found, { ...(output !== undefined && { output }), ...(json !== undefined && { json }) }, () => {
      const blocks = found.groups.map(({ name, size, keywords: words }, group) => {
        const shown = found.points.filter((point) => point.group === group).slice(0, kShown);
        const lines = shown.map(({ text }) => `  ${shorten(text, terminalWidth() - 2)}\n`);
        return `${colors.bold(`${name}: ${size} texts`)}  ${words.map(({ word }) => visible(word)).join(', ')}\n${lines.join('')}`;
      });
      return `${blocks.join('\n')}${found.warnings.map((warning) => `${colors.yellow('!')} ${warning}\n`).join('')}`;
    });
  });
}
