import { unexpected } from '../../expected.js';
import { calibrate } from '../../index.js';
import { openTexts, type InputFlags } from '../input.js';
import { openOutput } from '../output.js';

/** The flags of `bertha calibrate`, as commander hands them over. */
export interface CalibrateFlags extends InputFlags {
  readonly corpus?: string;
  readonly output?: string;
  readonly threads?: number;
}

/** More texts make no better scales. */
const kMostTexts = 10_000;

/** Writes the calibration of a model directory. */
export async function runCalibrate(directory: string, { corpus, output, threads, ...input }: CalibrateFlags): Promise<void> {
  const { blocks } = await openTexts([], input);
  const files = (input.file ?? ['standard input']).join(', ');
  const texts: string[] = [];
  for await (const block of blocks) {
    for (const { text } of block) if (text.trim() !== '') texts.push(text);
    if (texts.length > kMostTexts) {
      throw unexpected('INPUT_TOO_LARGE', `at most ${kMostTexts} texts in ${files} (200 are enough)`, 'more');
    }
  }
  const report = await calibrate(directory, texts, { corpus: corpus ?? files, output, threads });
  const standardOutput = await openOutput(undefined, { patchable: false });
  await standardOutput.write(
    `${report.path}: input scales of ${report.layers.length} layers from ${report.texts} texts, ${report.tokens} tokens\n` +
      'Precisions int8 and int8-fast of this model now use them.\n',
  );
}
