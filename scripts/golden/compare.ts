import { BerthaError } from '../../src/errors.js';
import type { LoadModelOptions } from '../../src/models/model.js';
import type { GoldenFolder } from './files.js';
import { compareGeneration } from './generation.js';
import { compareMinilm, compareSentence, compareTiny } from './models.js';
import { compareNumerics } from './numerics.js';
import { compareMultiVector } from './multi-vector.js';
import { Report } from './report.js';
import { compareMasked } from './masked.js';
import { comparePieces } from './sentencepiece.js';
import { compareSparse } from './sparse.js';
import { compareTokenizer } from './tokenizers.js';

/** How `compareFolder` compares. */
export interface CompareOptions {
  /** Largest |actual - expected| / max(1, |expected|) that passes. */
  readonly tolerance: number;
  /** Directory of all-MiniLM-L6-v2; the bundled one when absent. */
  readonly minilm?: string | undefined;
  /** Where the models compute; the CPU when absent. */
  readonly device?: LoadModelOptions['device'];
}

/** What float32 must reach; the golden data leave room for it. */
export const kTolerance = 1e-5;

/** Compares one folder of reference values with what Bertha computes. An error of Bertha's is a finding too, and never thrown. */
export async function compareFolder({ kind, name, path }: GoldenFolder, options: CompareOptions): Promise<Report> {
  const report = new Report(name, options.tolerance, { device: options.device });
  try {
    if (kind === 'tiny') await compareTiny(path, report);
    else if (kind === 'sentence') await compareSentence(path, report);
    else if (kind === 'multi-vector') await compareMultiVector(path, report);
    else if (kind === 'generation') await compareGeneration(path, report);
    else if (kind === 'sparse') await compareSparse(path, report);
    else if (kind === 'minilm') await compareMinilm(path, report, options.minilm);
    else if (kind === 'tokenizer') compareTokenizer(path, report);
    else if (kind === 'masked') await compareMasked(path, report);
    else if (kind === 'sentencepiece') await comparePieces(path, report);
    else await compareNumerics(path, report);
  } catch (error) {
    if (error instanceof BerthaError && error.code === 'CONFIG_UNSUPPORTED') report.unsupported = error.message;
    else report.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return report;
}
