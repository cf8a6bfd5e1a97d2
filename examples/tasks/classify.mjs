// Sentiment of texts, or the relation of two texts (inference).
//   node examples/tasks/classify.mjs --model path/to/distilbert-base-uncased-finetuned-sst-2-english
import { parseArgs } from 'node:util';
import { classifyText, loadModel } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const texts = ['A wonderful film.', { text: 'A man is playing a guitar.', textPair: 'A man is making music.' }];
for (const { labels } of await classifyText(model, texts)) console.log(labels[0].label, labels[0].score.toFixed(3));
model.dispose();
