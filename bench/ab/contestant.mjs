// One side of `npm run bench:ab`: a process with the library of the checkout in argv[2]. It answers each message with one message:
//   { load: { directory, options } }   loads an embedder      -> { ms }
//   { run: { method, texts, options } } calls it once          -> { ms }
//   { first: { directory, options } }  load and first vector   -> { ms }
//   { memory: true }                                           -> { residentMb }
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { loadEmbedder, loadTokenizer } = await import(pathToFileURL(join(process.argv[2], 'dist', 'index.js')).href);
let embedder;
let tokenizer;

async function timed(work) {
  const start = performance.now();
  await work();
  return { ms: performance.now() - start };
}

const calls = {
  embed: (texts, options) => embedder.embed(texts, options),
  embedSync: (texts, options) => embedder.embedSync(texts, options),
  encode: (texts, options) => texts.forEach((text) => tokenizer.encode(text, { truncation: true, ...options })),
};

const answers = {
  load: async ({ directory, options }) => {
    embedder?.dispose();
    tokenizer ??= await loadTokenizer(directory);
    return timed(async () => (embedder = await loadEmbedder(directory, options)));
  },
  run: ({ method, texts, options }) => timed(() => calls[method](texts, options)),
  first: ({ directory, options }) =>
    timed(async () => {
      const fresh = await loadEmbedder(directory, options);
      await fresh.embed('A first text.');
      fresh.dispose();
    }),
  memory: () => {
    globalThis.gc();
    return { residentMb: process.memoryUsage.rss() / 2 ** 20 };
  },
};

process.on('message', async (message) => {
  const [[kind, value]] = Object.entries(message);
  try {
    process.send(await answers[kind](value));
  } catch (error) {
    process.send({ error: `${error.code ?? error.name}: ${error.message}` });
  }
});
process.send({ ready: true });
