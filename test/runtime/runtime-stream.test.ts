import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder, stats, type BerthaError, type Embedder, type Embedding } from '../../src/index.js';
import { smallModel } from '../support/library.js';

const t = suite('embedMany');

async function withEmbedder(use: (embedder: Embedder) => Promise<void>): Promise<void> {
  const embedder = await loadEmbedder(smallModel);
  try {
    await use(embedder);
  } finally {
    embedder.dispose();
  }
}

async function collect(stream: AsyncIterable<Embedding>): Promise<Embedding[]> {
  const all: Embedding[] = [];
  for await (const embedding of stream) all.push(embedding);
  return all;
}

async function failureOf(stream: AsyncIterable<Embedding>): Promise<{ error: unknown; count: number }> {
  let count = 0;
  try {
    for await (const embedding of stream) count += embedding.tokens > 0 ? 1 : 0;
  } catch (error) {
    return { error, count };
  }
  return { error: undefined, count };
}

/** Text i has i % 5 + 1 words, and so i % 5 + 3 tokens. */
const textOf = (i: number): string => new Array(1 + (i % 5)).fill('hello').join(' ');

t('gives the results of embed, in order, for arrays, iterators and streams', () =>
  withEmbedder(async (embedder) => {
    const texts = Array.from({ length: 700 }, (_, i) => textOf(i));
    const expected = await embedder.embed(texts);
    assert.equal(await collect(embedder.embedMany(texts)), expected);
    assert.equal(await collect(embedder.embedMany(new Set(['hello', 'guitar']))), await embedder.embed(['hello', 'guitar']));
    async function* slowly(): AsyncGenerator<string> {
      for (const text of texts) {
        if (text.length > 25) await sleep(0);
        yield text;
      }
    }
    assert.equal(await collect(embedder.embedMany(slowly(), { concurrency: 3 })), expected);
    assert.equal(await collect(embedder.embedMany([])), []);
  }),
);

t('passes options on and tells progress', () =>
  withEmbedder(async (embedder) => {
    const progress: number[] = [];
    const texts = new Array<string>(600).fill('hello guitar');
    const results = await collect(embedder.embedMany(texts, { dimensions: 8, onProgress: ({ done }) => progress.push(done) }));
    assert.ok(results.every(({ vector }) => vector.length === 8));
    assert.equal(progress, [256, 512, 600]);
  }),
);

t('gives a result while the next text has not arrived', () =>
  withEmbedder(async (embedder) => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    async function* source(): AsyncGenerator<string> {
      yield 'hello';
      await gate;
      yield 'guitar';
    }
    const stream = embedder.embedMany(source());
    assert.is((await stream.next()).value?.tokens, 3);
    release();
    assert.not((await stream.next()).done);
    assert.ok((await stream.next()).done);
  }),
);

t('reads the source only as fast as results are taken', () =>
  withEmbedder(async (embedder) => {
    let read = 0;
    function* endless(): Generator<string> {
      for (;;) {
        read++;
        yield 'hello';
      }
    }
    const stream = embedder.embedMany(endless(), { concurrency: 2 });
    for (let i = 0; i < 1000; i++) await stream.next();
    await sleep(20);
    assert.ok(read <= 1000 + 4 * 256, `read ${read} texts ahead of 1000 results`);
    await stream.return();
    const atEnd = read;
    await sleep(20);
    assert.is(read, atEnd);
    assert.equal([stats().queue.bulk, stats().running], [0, 0]);
  }),
);

t('closes the source when the loop is left', () =>
  withEmbedder(async (embedder) => {
    let isClosed = false;
    async function* source(): AsyncGenerator<string> {
      try {
        for (;;) yield 'hello';
      } finally {
        isClosed = true;
      }
    }
    for await (const embedding of embedder.embedMany(source())) if (embedding.tokens === 3) break;
    assert.ok(isClosed);
  }),
);

t('an abort ends the stream with the reason, also while the source is silent', () =>
  withEmbedder(async (embedder) => {
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<string> {
      yield 'hello';
      await new Promise(() => undefined);
    }
    const stream = embedder.embedMany(silent(), { signal: controller.signal });
    assert.is((await stream.next()).value?.tokens, 3);
    const next = failureOf(stream);
    controller.abort('mine');
    assert.equal(await next, { error: 'mine', count: 0 });
    assert.equal(await failureOf(embedder.embedMany(['hello'], { signal: AbortSignal.abort('before') })), { error: 'before', count: 0 });
  }),
);

t('a source that fails ends the stream after the results of what it gave', () =>
  withEmbedder(async (embedder) => {
    const failing = function* (): Generator<string> {
      for (let i = 0; i < 300; i++) yield 'hello';
      throw new RangeError('mine');
    };
    const { error, count } = await failureOf(embedder.embedMany(failing()));
    assert.equal([(error as Error).message, count], ['mine', 300]);
  }),
);

t('refuses what is no iterable of strings, by name and index', () =>
  withEmbedder(async (embedder) => {
    const code = async (source: unknown): Promise<string> =>
      ((await failureOf(embedder.embedMany(source as string[]))).error as BerthaError).code;
    assert.is(await code(7), 'INVALID_ARG');
    assert.is(await code(null), 'INVALID_ARG');
    assert.is(await code('one string'), 'INVALID_ARG');
    const { error } = await failureOf(embedder.embedMany(['hello', 7 as unknown as string]));
    assert.match((error as Error).message, 'text 1 of embedMany');
    assert.throws(() => embedder.embedMany([], { concurency: 3 } as object), /concurrency/);
    assert.throws(() => embedder.embedMany([], { concurrency: 0 }), /whole number from 1 to 64/);
    assert.throws(() => embedder.embedMany([], { dimensions: 1e9 }), /whole number/);
  }),
);

t.run();
