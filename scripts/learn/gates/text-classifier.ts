import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEmbedder } from '../../../src/index.js';
import { trainTextClassifier } from '../../../src/learn/index.js';
import type { LabelledTexts } from '../../../src/learn/text-classifier/read-labelled-texts.js';
import { judge, type Gate } from './gate.js';

/** TREC's six kinds of questions by BERT's vectors and TF-IDF side by side and a logistic regression, scored on its test questions. */
export const textClassifierGate: Gate = {
  files: ['eval/cls/TREC.train.all', 'eval/cls/TREC.test.all'],
  async run({ shared, threads }) {
    const [learned, test] = ['TREC.train.all', 'TREC.test.all'].map((name) => readQuestions(join(shared, 'eval/cls', name)));
    const embedder = await loadEmbedder(undefined, threads === undefined ? {} : { threads });
    const classifier = await trainTextClassifier(embedder, learned!.texts, learned!.labels, { test: test! });
    embedder.dispose();
    const { accuracy, logLoss } = classifier.evaluation!;
    console.log(
      `TREC-6, BERT and TF-IDF into LogisticRegression: logarithmic loss ${logLoss.toFixed(3)}, temperature ${classifier.temperature.toFixed(2)}`,
    );
    judge('accuracy x 100', 100 * accuracy, 94.4);
  },
};

/** Questions and their kinds; the file is Latin-1. */
function readQuestions(path: string): LabelledTexts {
  const lines = readFileSync(path, 'latin1').trimEnd().split('\n');
  return { texts: lines.map((line) => line.slice(line.indexOf(' ') + 1)), labels: lines.map((line) => line.slice(0, line.indexOf(' '))) };
}
