import type { Model } from '../../../src/models/index.js';
import { fillMask } from '../../../src/tasks/index.js';
import { Random } from '../../../src/training/datasets/random.js';
import type { Article } from './wikipedia.js';

const kSentences = 1000;
const kSeed = 1;

/** How often a word is among the five likeliest for its place: one word each of sentences of all articles in turn, of letters alone and one token of the vocabulary. */
export async function topFive(model: Model, articles: readonly Article[]): Promise<number> {
  const random = new Random(kSeed);
  const texts: string[] = [];
  const words: string[] = [];
  for (const sentence of inTurn(articles)) {
    if (texts.length === kSentences) break;
    const parts = sentence.split(' ');
    const places = parts.flatMap((part, i) => (/^[a-z]+$/i.test(part) && model.tokenizer.encode(part).ids.length === 3 ? [i] : []));
    if (places.length < 3) continue;
    const place = places[random.below(places.length)]!;
    words.push(parts[place]!.toLowerCase());
    texts.push(parts.with(place, '[MASK]').join(' '));
  }
  const filled = await fillMask(model, texts, { topK: 5 });
  const found = filled.filter(({ masks }, i) => masks[0]!.candidates.some(({ tokenStr }) => tokenStr === words[i]));
  return found.length / texts.length;
}

/** The first sentence of every article, then the second …. */
function* inTurn(articles: readonly Article[]): Generator<string> {
  const longest = Math.max(...articles.map(({ length }) => length));
  for (let place = 0; place < longest; place++) for (const article of articles) if (place < article.length) yield article[place]!;
}

/** log of each token's share of the text, [vocabulary]; one that does not occur counts as once. */
export function logShares(model: Pick<Model, 'tokenizer'>, articles: readonly Article[]): Float32Array {
  const counts = new Float32Array(model.tokenizer.vocabSize).fill(1);
  let total = counts.length;
  for (const sentence of articles.flat()) {
    const { ids } = model.tokenizer.encode(sentence, { addSpecialTokens: false });
    for (const id of ids) counts[id]!++;
    total += ids.length;
  }
  return counts.map((count) => Math.log(count / total));
}
