import {
  type Corpus,
  type CorpusTrainingOptions,
  loadWordVectors,
  type SavedFormat,
  segmentWords,
  trainFastText,
  trainGloVe,
  trainWord2Vec,
  type WordTrainingProgress,
} from '../../../word-vectors/index.js';
import { requireWritable } from '../../../checkpoint/replace-file.js';
import { stopBar } from '../../terminal/bars.js';
import { startBar } from '../../terminal/progress.js';
import { untilInterrupted } from '../training/interrupts.js';

/** Which program learns. */
export type Trainer = 'word2vec' | 'fasttext' | 'glove';

/** The flags of `word2vec`, `fasttext` and `glove`, as commander hands them over; the others are options of the trainers. */
export interface WordTrainingFlags extends CorpusTrainingOptions {
  readonly output: string;
  readonly format?: SavedFormat;
  readonly vocabulary?: string;
  readonly cbow?: boolean;
  readonly initial?: string;
  readonly segment?: string;
  readonly lowercase?: boolean;
  readonly json?: boolean;
}

/** Learns word vectors from files or standard input, and writes them. Returns the exit code: 130 where an interrupt ended it. */
export async function trainWords(trainer: Trainer, files: readonly string[], flags: WordTrainingFlags): Promise<number> {
  return untilInterrupted((signal) => trainAndSave(trainer, files, flags, signal));
}

async function trainAndSave(trainer: Trainer, files: readonly string[], flags: WordTrainingFlags, signal: AbortSignal): Promise<void> {
  const { output, format, vocabulary, cbow, initial, segment, lowercase, json = false, ...options } = flags;
  for (const file of [output, vocabulary]) if (file !== undefined) await requireWritable(file);
  const bars = new Bars();
  const common = {
    ...options,
    ...(segment === undefined && lowercase !== true ? {} : { tokenizer: tokenizerOf(segment, lowercase) }),
    onProgress: (progress: WordTrainingProgress) => bars.show(progress),
    signal,
  };
  const word2vec = {
    ...common,
    ...(cbow === true ? { sg: false } : {}),
    ...(initial === undefined ? {} : { initial: await loadWordVectors(initial, { signal }) }),
  };
  const corpus: Corpus = files.length === 0 || files.join() === '-' ? process.stdin : files;
  const train = {
    word2vec: () => trainWord2Vec(corpus, word2vec),
    fasttext: () => trainFastText(corpus, word2vec),
    glove: () => trainGloVe(corpus, common),
  };
  const { vectors, report } = await train[trainer]().finally(() => bars.stop());
  await vectors.save(output, { format, vocabulary, signal });
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning}\n`);
  const sentence = `${output}: ${vectors.size} words of ${vectors.dimensions} numbers, from ${report.words} words in ${report.sentences} sentences`;
  const speed = `${Math.round(report.wordsPerSecond)} ${trainer === 'glove' ? 'records' : 'words'}/s, loss ${report.loss.toFixed(4)}`;
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${sentence}; ${speed}\n`);
}

function tokenizerOf(locale: string | undefined, lowercase = false): (text: string) => readonly string[] {
  const split = locale === undefined ? (text: string) => text.split(/[\t-\r ]+/) : (text: string) => segmentWords(text, { locale });
  return lowercase ? (text) => split(text.toLowerCase()) : split;
}

/** A bar for each phase whose end is known, where a person may be watching. */
class Bars {
  #phase: WordTrainingProgress['phase'] | undefined;
  #bar: ReturnType<typeof startBar> | undefined;

  show({ phase, done, of, loss, wordsPerSecond }: WordTrainingProgress): void {
    if (of === 0 || !process.stderr.isTTY) return;
    const payload = { loss: loss?.toFixed(4) ?? '', speed: `${Math.round(wordsPerSecond / 1000)}k/s` };
    if (phase !== this.#phase) {
      this.stop();
      this.#bar = startBar('{bar} {percentage}%, {speed}, loss {loss}, {eta_formatted} left', of, 0, payload);
      this.#phase = phase;
    }
    this.#bar?.update(done, payload);
  }

  stop(): void {
    if (this.#bar !== undefined) stopBar(this.#bar);
    this.#bar = undefined;
  }
}
