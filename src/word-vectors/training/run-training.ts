import { unexpected } from '../../expected.js';
import { callNative } from '../../runtime/native-error.js';
import type { NativeTraining, NativeWordVectors } from '../../runtime/words/native-words.js';
import { nativeWords, untilAborted } from '../native-words.js';
import { type Corpus, readCorpus, type ReadCorpus } from './corpus.js';
import { kReportEveryMs, Reporter } from './progress.js';
import type { RunSettings } from './train-options.js';

/** What became of a training. */
export interface TrainingReport {
  /** Words of the corpus, and of them those that are frequent enough. */
  readonly words: number;
  readonly keptWords: number;
  readonly sentences: number;
  readonly distinctWords: number;
  /** Words that have vectors. */
  readonly vocabularySize: number;
  /** Words that were not UTF-8, or held a NUL: what is wrong became U+FFFD. */
  readonly repairedWords: number;
  /** Words that were cut at 1,000 bytes. */
  readonly cutWords: number;
  /** Distinct words that were forgotten for `maxVocabSize`. */
  readonly forgottenWords: number;
  readonly loss: number;
  readonly seconds: number;
  readonly wordsPerSecond: number;
  /** Bytes of the tables, as computed beforehand. */
  readonly tableBytes: number;
  readonly warnings: readonly string[];
}

/** How a trainer differs from the others. */
export interface TrainerPlan {
  readonly name: string;
  /** Bytes that the tables take for so many words, and so many occurrences of them. */
  tableBytes(words: number, occurrences: number): number;
  /** What makes them fewer. */
  readonly remedy: string;
  create(corpus: ReadCorpus): NativeTraining;
  /** What the report should warn of. */
  warnings?(vocabularySize: number): string[];
}

/**
 * Reads a corpus and trains on it.
 *
 * Errors: EMPTY_INPUT where no word is frequent enough; OUT_OF_MEMORY before anything is allocated; NON_FINITE; those of reading; the
 * signal's reason.
 */
export async function runTraining(
  corpus: Corpus,
  settings: RunSettings,
  plan: TrainerPlan,
): Promise<{ readonly handle: NativeWordVectors; readonly report: TrainingReport }> {
  const native = nativeWords();
  const reporter = new Reporter(settings.onProgress);
  const read = await readCorpus(corpus, { ...settings, onRead: (words) => reporter.tell('read', words) });
  const common = native.commonWords(read.handle, settings.minCount);
  if (common.kept === 0) throw noWords(read, common, settings.minCount);
  const tableBytes = plan.tableBytes(common.kept, common.keptWords);
  checkMemory(tableBytes, plan);
  settings.signal?.throwIfAborted();
  const training = callNative(() => plan.create(read));
  const stop = (): void => native.cancelTraining(training);
  const timer = setInterval(() => reporter.tellTraining(training, stop), kReportEveryMs);
  const begin = performance.now();
  try {
    const handle = await untilAborted(settings.signal, stop, () => native.train(training));
    const seconds = (performance.now() - begin) / 1000;
    const { done, lossSum, lossCount, tableBytes: allTables } = native.trainingProgress(training);
    const { bytes: _bytes, ...counts } = read.report;
    const vocabularySize = native.vectorsInfo(handle).size;
    const report: TrainingReport = {
      ...counts,
      keptWords: common.keptWords,
      vocabularySize,
      loss: lossCount === 0 ? 0 : lossSum / lossCount,
      seconds,
      wordsPerSecond: done / seconds,
      tableBytes: Math.max(tableBytes, allTables),
      warnings: [...(plan.warnings?.(vocabularySize) ?? []), ...warningsOf(read)],
    };
    return { handle, report };
  } catch (error) {
    throw reporter.failure === undefined ? error : reporter.failure.error;
  } finally {
    clearInterval(timer);
  }
}

function noWords(
  { report }: ReadCorpus,
  common: { readonly mostFrequent?: string; readonly mostFrequentCount?: number },
  minCount: number,
): Error {
  const most = common.mostFrequent === undefined ? '' : `, the most frequent ${common.mostFrequentCount} times: ${common.mostFrequent}`;
  return unexpected('EMPTY_INPUT', `a word that occurs ${minCount} times (minCount) in the corpus`, `${report.words} words${most}`);
}

/** Bytes that the system can give; 0 where Node.js does not know. */
export function availableBytes(): number {
  return (process as { availableMemory?: () => number }).availableMemory?.() ?? 0;
}

function checkMemory(bytes: number, { name, remedy }: TrainerPlan): void {
  const free = availableBytes();
  if (free === 0 || bytes <= free) return;
  const [needed, there] = [bytes, free].map((value) => `${(value / 1e9).toFixed(1)} GB`);
  throw unexpected('OUT_OF_MEMORY', `${needed} of memory for the tables of ${name}`, `${there}`, {
    hint: `Fewer are needed with ${remedy}.`,
  });
}

function warningsOf({ report }: ReadCorpus): string[] {
  return report.forgottenWords === 0 ? [] : [`${report.forgottenWords} rare words were forgotten: the corpus has more than maxVocabSize`];
}
