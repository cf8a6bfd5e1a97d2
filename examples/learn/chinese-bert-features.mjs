// Chinese sentences → BERT's [CLS] → train_test_split → logistic regression → accuracy and report.
//   node examples/learn/chinese-bert-features.mjs [path/to/bert-base-chinese]
// Without a model the bundled all-MiniLM-L6-v2 is asked, which knows few Chinese characters: a BERT for Chinese does better.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'bertha-encoder';
import { accuracyScore, classificationReport, LogisticRegression, trainTestSplit } from 'bertha-encoder/learn';

// Sentences and labels.
const file = fileURLToPath(new URL('../training/data/chinese/reviews.tsv', import.meta.url));
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));
const texts = rows.map(([text]) => text);
const labels = rows.map(([, label]) => label);

// What the model makes of each sentence: the last hidden state of its first token, [CLS].
const model = await loadModel(process.argv[2]);
const encodings = model.tokenizer.encodeBatch(texts, { truncation: true });
console.log(encodings[0].tokens.join(' '));
const states = await model.forward(encodings);
const features = states.map(({ lastHiddenState: { data, dims } }) => data.subarray(0, dims[1]));
console.log(`features: ${features.length} x ${features[0].length}`);

// A quarter is kept for the test, with as many of each label.
const [xTrain, xTest, yTrain, yTest] = trainTestSplit([features, labels], { testSize: 0.25, randomState: 42, stratify: labels });

const classifier = await new LogisticRegression({ C: 10, maxIter: 1000 }).fit(xTrain, yTrain);
const predicted = await classifier.predict(xTest);
console.log(`accuracy ${accuracyScore(yTest, predicted).toFixed(2)}`);
console.log(classificationReport(yTest, predicted));
model.dispose();
