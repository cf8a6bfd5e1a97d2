// `npm run bench:vectors -- --only static`: texts a second of static vectors, distilled here from the bundled model, beside the model's own.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Embedder, loadEmbedder, loadModel } from '../../src/index.js';
import { distillVectors } from '../../src/word-vectors/index.js';
import { median, timed } from './timing.js';

const kSpecialTokens = 2;
/** The model reads one text where static vectors read so many: turns of about the same length. */
const kShare = 64;

/** Texts of exactly so many tokens, one after the other out of a corpus: no two are alike. */
async function readTexts(corpus: string, tokens: number, count: number, tokensOf: (word: string) => number): Promise<string[]> {
  const [texts, wanted]: [string[], number] = [[], tokens - kSpecialTokens];
  let [words, held]: [string[], number] = [[], 0];
  for await (const line of createInterface({ input: createReadStream(corpus) })) {
    for (const word of line.split(' ')) {
      const more = word === '' ? 0 : tokensOf(word);
      if (more === 0 || held + more > wanted) continue;
      words.push(word);
      held += more;
      if (held < wanted) continue;
      texts.push(words.join(' '));
      if (texts.length === count) return texts;
      [words, held] = [[], 0];
    }
  }
  throw new Error(
    `Expected words for ${count} texts of ${tokens} tokens in the corpus: found ${texts.length}; give more --words or fewer --texts`,
  );
}

/** Prints a table: fp32, one thread, texts of 128 and of 16 tokens, in turns. */
export async function measureStatic(corpus: string, folder: string, rounds: number, texts: number): Promise<void> {
  const model = await loadModel();
  const { seconds } = await timed(async () => (await distillVectors(model)).save(join(folder, 'static')));
  const sizes = new Map<string, number>();
  const tokensOf = (word: string): number => {
    const known = sizes.get(word) ?? model.tokenizer.encode(word).ids.length - kSpecialTokens;
    sizes.set(word, known);
    return known;
  };
  const drawn = await Promise.all([128, 16].map((tokens) => readTexts(corpus, tokens, texts, tokensOf)));
  model.dispose();
  const own = await loadEmbedder(undefined, { threads: 1 });
  const fixed = await loadEmbedder(join(folder, 'static'), { threads: 1 });
  process.stdout.write(`\nStatic vectors of ${fixed.dimensions} numbers, distilled from the bundled model in ${seconds.toFixed(1)} s; `);
  process.stdout.write(`fp32, one thread, ${texts} different texts, medians of ${rounds}; target 100 x at 128 tokens.\n\n`);
  process.stdout.write('| tokens | static texts/s | model texts/s | ratio | by processor time |\n|---|---|---|---|---|\n');
  for (const [i, tokens] of [128, 16].entries()) {
    const [ours, theirs]: [Speed[], Speed[]] = [[], []];
    for (let round = 0; round <= rounds; round++) {
      const few = drawn[i]!.slice(0, Math.max(1, Math.floor(texts / kShare)));
      const turn = [await speedOf(fixed, drawn[i]!), await speedOf(own, few)] as const;
      if (round === 0) continue; // warms up
      ours.push(turn[0]);
      theirs.push(turn[1]);
    }
    const of = (speeds: readonly Speed[], key: keyof Speed): number => median(speeds.map((speed) => speed[key]));
    const ratio = (key: keyof Speed): string => `${(of(ours, key) / of(theirs, key)).toFixed(0)} x`;
    const speeds = [of(ours, 'wall'), of(theirs, 'wall')].map((speed) => speed.toFixed(0));
    process.stdout.write(`| ${[tokens, ...speeds, ratio('wall'), ratio('processor')].join(' | ')} |\n`);
  }
  for (const embedder of [own, fixed]) embedder.dispose();
}

interface Speed {
  readonly wall: number;
  readonly processor: number;
}

async function speedOf(embedder: Embedder, texts: readonly string[]): Promise<Speed> {
  const { seconds, cpu } = await timed(() => embedder.embed(texts));
  return { wall: texts.length / seconds, processor: texts.length / cpu };
}
