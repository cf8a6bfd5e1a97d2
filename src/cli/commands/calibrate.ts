import { BerthaError } from '../../errors.js';
import { calibrate } from '../../index.js';
import { openTexts } from '../input.js';
import { openOutput } from '../output.js';

/** The flags of `bertha calibrate`, as commander hands them over. */
export interface CalibrateFlags {
  readonly file: string;
  readonly corpus?: string;
  readonly output?: string;
  readonly threads?: number;
}

/** More texts make no better scales. */
const kMostTexts = 10_000;

/** Writes the calibration of a model directory. */
export async function runCalibrate(directory: string, { file, corpus, output, threads }: CalibrateFlags): Promise<void> {
  const { blocks } = await openTexts([], file);
  const texts: string[] = [];
  for await (const block of blocks) {
    texts.push(...block.filter((line) => line.trim() !== ''));
    if (texts.length > kMostTexts) {
      throw new BerthaError('INPUT_TOO_LARGE', `Expected at most ${kMostTexts} texts in ${file} (200 are enough) but received more.`);
    }
  }
  const report = await calibrate(directory, texts, { corpus: corpus ?? file, output, threads });
  const standardOutput = await openOutput(undefined, { patchable: false });
  await standardOutput.write(
    `${report.path}: input scales of ${report.layers.length} layers from ${report.texts} texts, ${report.tokens} tokens\n` +
      'Precisions int8 and int8-fast of this model now use them.\n',
  );
}
