// Does a sentence follow another? Pairs are made of stories: a sentence and the next one, or one of another story.
//   node examples/training/next-sentence.mjs [--model path/to/bert]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { predictNextSentence } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const text = readFileSync(new URL('data/stories.txt', import.meta.url), 'utf8');
const stories = text
  .trim()
  .split('\n\n')
  .map((story) => story.split('\n'));
const pairs = stories.flatMap((story, s) =>
  story.slice(1).flatMap((next, i) => {
    const others = stories[(s + i + 1) % stories.length];
    return [
      { sentence1: story[i], sentence2: next, label: 'is_next' },
      { sentence1: story[i], sentence2: others[i], label: 'not_next' },
    ];
  }),
);

const { model } = await train(values.model, pairs, {
  task: 'next-sentence-prediction',
  numTrainEpochs: 10,
  learningRate: 1e-4,
});
const { metrics } = await evaluateModel(model, 'next-sentence-prediction', pairs);
console.log(`accuracy ${metrics.accuracy.toFixed(2)} on the ${pairs.length} pairs it learned from`);

const sentence = 'Ben filled the kettle with water.';
for (const textPair of ['Then he put two bags of tea into the pot.', 'The crew saw land in the evening.']) {
  const { isNext } = await predictNextSentence(model, { text: sentence, textPair });
  console.log(isNext.toFixed(2), textPair);
}
model.dispose();
