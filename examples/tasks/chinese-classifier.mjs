// [CLS] vectors of a padded Chinese batch as the features of a classifier: delivery reviews, good or bad.
//   node examples/tasks/chinese-classifier.mjs --model path/to/bert-base-chinese
import { parseArgs } from 'node:util';
import LogisticRegression from 'ml-logistic-regression';
import { Matrix } from 'ml-matrix';
import { AutoModel, AutoTokenizer } from 'bertha-encoder';

const good = [
  '味道很好，送餐很快。',
  '非常好吃，下次还会点。',
  '服务态度很好，推荐。',
  '菜很新鲜，分量也足。',
  '包装很好，还是热的。',
  '很满意，谢谢老板。',
  '好吃不贵，值得。',
  '一直点这家，从没失望过。',
];
const bad = [
  '等了两个小时，太慢了。',
  '味道很差，不会再点。',
  '送来已经凉了，不好吃。',
  '分量太少，不值这个价。',
  '态度很差，非常失望。',
  '菜不新鲜，有怪味。',
  '送错了，还不退钱。',
  '包装破了，汤都洒了。',
];
const texts = [...good, ...bad];
const labels = texts.map((_, i) => (i < good.length ? 1 : 0));

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const tokenizer = await AutoTokenizer.from_pretrained(values.model);
const model = await AutoModel.from_pretrained(values.model);

const inputs = tokenizer(texts, { padding: true, truncation: true });
const { last_hidden_state: hidden } = await model(inputs); // [texts, tokens, hidden]
const [, tokens, width] = hidden.dims;
const features = texts.map((_, i) => Array.from(hidden.data.subarray(i * tokens * width, i * tokens * width + width)));
await model.dispose();

const isTest = (i) => i % 4 === 3;
const pick = (list, wanted) => list.filter((_, i) => isTest(i) === wanted);
const classifier = new LogisticRegression({ numSteps: 500, learningRate: 0.01 });
classifier.train(new Matrix(pick(features, false)), Matrix.columnVector(pick(labels, false)));
const predicted = classifier.predict(new Matrix(pick(features, true)));
const expected = pick(labels, true);
const right = predicted.filter((label, i) => label === expected[i]).length;
console.log(`accuracy ${(right / expected.length).toFixed(2)} on ${expected.length} reviews`);
