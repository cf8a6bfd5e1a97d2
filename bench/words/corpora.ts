import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

/** Sentences in which each of `vocabulary` words occurs at least once, the frequent ones by Zipf's law. */
export async function writeDrawnCorpus(file: string, vocabulary: number): Promise<void> {
  const output = createWriteStream(file);
  let state = 1;
  const draw = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let begin = 0; begin < vocabulary; begin += 10) {
    const words = Array.from({ length: 10 }, (_, i) => `w${begin + i} w${Math.floor(vocabulary ** draw())}`);
    if (!output.write(`${words.join(' ')}\n`)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'finish');
}
