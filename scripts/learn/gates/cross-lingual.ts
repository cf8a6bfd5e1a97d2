import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEmbedder, semanticSearch } from '../../../src/index.js';
import { train, type Teacher } from '../../../src/training/index.js';
import { unzip } from '../../../test/support/unzip.js';
import { judge, percent, type Gate } from './gate.js';

/** How many parts of the articles are held out in turn. */
const kFolds = 3;

interface Article {
  /** Passages of the same number say the same. */
  readonly english: readonly string[];
  readonly german: readonly string[];
}

/**
 * The Universal Declaration of Human Rights in two languages: the passages of two thirds of its articles teach the bundled model, English by its own vectors;
 * then each German article of the last third looks for its English one among them. Every third is held out once.
 */
export const crossLingualGate: Gate = {
  files: ['text/nltk_udhr2.zip'],
  async run({ shared, threads }) {
    const files = unzip(readFileSync(join(shared, 'text/nltk_udhr2.zip')));
    const [english, german] = ['eng', 'deu'].map((language) => articlesOf(files.get(`udhr2/${language}.txt`)!.toString('utf8')));
    const articles = english!.map((passages, i): Article => ({ english: passages, german: german![i]! }));
    const teacher = await loadEmbedder();
    let [before, after] = [0, 0];
    for (let fold = 0; fold < kFolds; fold++) {
      const held = articles.filter((_, i) => i % kFolds === fold);
      const seen = articles.filter((_, i) => i % kFolds !== fold);
      const own = await found(teacher, held);
      const { model, metrics } = await train(
        undefined,
        seen.flatMap((article) => article.english.map((passage, i) => ({ english: passage, german: article.german[i]! }))),
        {
          task: 'sentence-embedding',
          loss: 'MSE',
          teacher,
          columns: { anchor: 'english', positive: 'german' },
          evaluator: async (embedder) => ({ found: await found(embedder, held) }),
          numTrainEpochs: 16,
          perDeviceTrainBatchSize: 4,
          learningRate: 5e-4,
          warmupSteps: 0.1,
          loggingSteps: 50,
          saveStrategy: 'no',
          ...(threads === undefined ? {} : { threads }),
        },
      );
      model.dispose();
      before += own;
      after += metrics['eval_found']!;
      console.log(
        `UDHR, articles ${fold + 1}, ${fold + 1 + kFolds} … held out: ${own} of ${held.length} found before, ${metrics['eval_found']} after`,
      );
    }
    teacher.dispose();
    const shares = [before, after].map((count) => count / articles.length);
    console.log(`UDHR, German to English: ${percent(shares[0]!)} of held-out articles found before, ${percent(shares[1]!)} after`);
    judge('retrieval x 100, rise', 100 * (shares[1]! - shares[0]!), 20);
  },
};

/** How many German articles are nearest to their own English one. */
async function found(embedder: Teacher, articles: readonly Article[]): Promise<number> {
  const vectors = (language: keyof Article) => embedder.embed(articles.map((article) => article[language].join(' ')));
  const nearest = await semanticSearch(await vectors('german'), await vectors('english'), { topK: 1 });
  return nearest.filter(([best], i) => best!.index === i).length;
}

/** The passages of the thirty articles, which are the last blocks of the file: a heading, then its passages, some with numbers. */
function articlesOf(text: string): string[][] {
  const blocks = text.trimEnd().split(/\n {3}\n/);
  return blocks.slice(-30).map((block) =>
    block
      .split('\n')
      .map((line) => line.trim().replace(/^\(?\d+[.)]\s*/, ''))
      .filter((line) => line !== '')
      .slice(1),
  );
}
