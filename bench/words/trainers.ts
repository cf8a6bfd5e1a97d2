import { trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';

const common = { epochs: 1, minCount: 5 };

/** Words a second of the training alone, as the report has it. */
export const wordTrainers: Readonly<Record<string, (corpus: string, threads: number) => Promise<number>>> = {
  'skip-gram': async (corpus, threads) => (await trainWord2Vec(corpus, { ...common, threads })).report.wordsPerSecond,
  cbow: async (corpus, threads) => (await trainWord2Vec(corpus, { ...common, threads, sg: false })).report.wordsPerSecond,
  'fasttext skip-gram': async (corpus, threads) => (await trainFastText(corpus, { ...common, threads })).report.wordsPerSecond,
  'fasttext cbow': async (corpus, threads) => (await trainFastText(corpus, { ...common, threads, sg: false })).report.wordsPerSecond,
};

/** Records a second of all threads, without the counting. */
export async function gloveSpeed(corpus: string, threads: number): Promise<number> {
  let [records, begin, seconds] = [0, 0, 0];
  await trainGloVe(corpus, {
    ...common,
    threads,
    epochs: 10,
    xMax: 10,
    onProgress: ({ phase, done }) => {
      if (phase !== 'train') return;
      if (begin === 0) begin = performance.now() - 0.001;
      [records, seconds] = [done, (performance.now() - begin) / 1000];
    },
  });
  return records / Math.max(seconds, 1e-3);
}

/** Words or records a second, by the trainer's name. */
export const trainerSpeeds: typeof wordTrainers = { ...wordTrainers, glove: gloveSpeed };

export const showWords = (speed: number): string => `${Math.round(speed / 1000)}k words/s`;
export const showRecords = (speed: number): string => `${(speed / 1e6).toFixed(1)} M records/s`;
