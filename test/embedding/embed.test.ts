import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { BerthaError } from '../../src/errors.js';
import { loadEmbedder, systemInfo, type Embedder, type EmbedOptions } from '../../src/index.js';

const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

async function using<T>(directory: string | undefined, use: (embedder: Embedder) => T | Promise<T>, threads?: number): Promise<T> {
  const embedder = await loadEmbedder(directory, threads === undefined ? {} : { threads });
  try {
    return await use(embedder);
  } finally {
    embedder.dispose();
  }
}

async function codeOf(work: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await work();
  } catch (error) {
    assert.instance(error, BerthaError);
    return error as BerthaError;
  }
  throw new Error('nothing was thrown');
}

const same = (a: Float32Array, b: Float32Array) =>
  Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), Buffer.from(b.buffer, b.byteOffset, b.byteLength)) === 0;
const lengthOf = (vector: Float32Array) => Math.hypot(...vector);

// --- The vectors of sentence-transformers, through the public API with its prompts and modules.

interface SentenceCase {
  readonly tensor: string;
  readonly row: number;
  readonly text: string;
  readonly prompt: string;
  readonly input_ids: readonly number[];
}

const vectors = suite('embed golden');
const directories = [
  'dense',
  'new-layout',
  'normalize',
  'pooling-cls',
  'pooling-cls-mean',
  'pooling-lasttoken',
  'pooling-max',
  'pooling-mean',
];
directories.push('pooling-mean-sqrt-len', 'pooling-weightedmean', 'prompt-not-pooled', 'prompts');

for (const name of directories) {
  vectors(`${name} gives the vectors of sentence-transformers`, async () => {
    const directory = golden(`sentence/${name}`);
    const { cases } = JSON.parse(readFileSync(`${directory}/cases.json`, 'utf8')) as { cases: SentenceCase[] };
    const file = await SafetensorsFile.open(`${directory}/expected.safetensors`);
    await using(directory, async (embedder) => {
      for (const { tensor, row, text, prompt = '', input_ids } of cases) {
        const expected = (await file.readFloat32(tensor)).subarray(row * embedder.dimensions, (row + 1) * embedder.dimensions);
        const options: EmbedOptions =
          tensor === 'embeddings' ? {} : tensor === 'embeddings.none' ? { prompt } : { promptName: tensor.split('.')[1]! };
        const { vector, tokens } = await embedder.embed(text, options);
        assert.is(tokens, input_ids.length);
        assert.is(vector.length, expected.length);
        vector.forEach((value, i) =>
          assert.ok(
            Math.abs(value - expected[i]!) <= 1e-5 * Math.max(1, Math.abs(expected[i]!)),
            `${tensor} ${row}: ${value} ${expected[i]}`,
          ),
        );
      }
    });
    await file.close();
  });
}

vectors.run();

// --- What a text's vector depends on.

const invariance = suite('embed invariance');
const kTexts = Array.from(
  { length: 41 },
  (_, i) => 'the museum opens at nine and closes at half past five '.repeat((i * 7) % 13) + 'guitar '.repeat(i % 5),
);

for (const directory of [golden('sentence/normalize'), golden('sentence/pooling-max'), undefined]) {
  const name = directory?.split('/').at(-1) ?? 'all-MiniLM-L6-v2';
  const texts = directory === undefined ? kTexts.slice(0, 14) : kTexts;

  invariance(`${name}: a vector is the same to the bit alone, in any batch, at any position, with 1 or 2 threads`, async () => {
    const alone: Float32Array[] = [];
    await using(
      directory,
      async (embedder) => {
        for (const text of texts) alone.push((await embedder.embed(text)).vector);
        const synchronous = texts.map((text) => embedder.embedSync(text).vector);
        synchronous.forEach((vector, i) => assert.ok(same(vector, alone[i]!), `embedSync ${i}`));
      },
      1,
    );
    for (const threads of [1, 2]) {
      await using(
        directory,
        async (embedder) => {
          const together = await embedder.embed(texts);
          const reversed = (await embedder.embed([...texts].reverse())).reverse();
          const pairs = await Promise.all(texts.map((text, i) => embedder.embed([texts[(i + 1) % texts.length]!, text])));
          texts.forEach((_, i) => {
            assert.ok(same(together[i]!.vector, alone[i]!), `${threads} threads, together ${i}`);
            assert.ok(same(reversed[i]!.vector, alone[i]!), `${threads} threads, reversed ${i}`);
            assert.ok(same(pairs[i]![1]!.vector, alone[i]!), `${threads} threads, pair ${i}`);
          });
        },
        threads,
      );
    }
  });
}

invariance.run();

// --- Options.

const options = suite('embed options');

options('normalize scales to length 1 or leaves the pooled vector', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const { vector: pooled } = await embedder.embed('hello');
    const { vector: unit } = await embedder.embed('hello', { normalize: true });
    assert.ok(Math.abs(lengthOf(pooled) - 1) > 0.01);
    assert.ok(Math.abs(lengthOf(unit) - 1) < 1e-6);
    unit.forEach((value, i) => assert.ok(Math.abs(value - pooled[i]! / lengthOf(pooled)) < 1e-6));
  }),
);

options('normalize: false undoes the Normalize module', () =>
  using(golden('sentence/normalize'), async (embedder) => {
    assert.ok(Math.abs(lengthOf((await embedder.embed('hello')).vector) - 1) < 1e-6);
    assert.ok(Math.abs(lengthOf((await embedder.embed('hello', { normalize: false })).vector) - 1) > 0.01);
  }),
);

options('dimensions keeps the first numbers and normalizes what was normalized', () =>
  using(golden('sentence/normalize'), async (embedder) => {
    const { vector: whole } = await embedder.embed('hello', { normalize: false });
    const { vector: cut } = await embedder.embed('hello', { normalize: false, dimensions: 5 });
    assert.equal(cut, whole.slice(0, 5));
    const { vector: unit } = await embedder.embed('hello', { dimensions: 5 });
    assert.is(unit.length, 5);
    assert.ok(Math.abs(lengthOf(unit) - 1) < 1e-6);
    assert.match((await codeOf(() => embedder.embed('hello', { dimensions: embedder.dimensions + 1 }))).message, 'dimensions');
  }),
);

options('maxLength cuts, counts special tokens, and onTruncate tells or refuses', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const long = 'hello '.repeat(1000);
    const { tokens, truncated } = await embedder.embed(long);
    assert.equal([tokens, truncated], [embedder.maxTokens, true]);
    const short = await embedder.embed('hello hello hello hello', { maxLength: 4 });
    assert.equal([short.tokens, short.truncated], [4, true]);
    assert.ok(same(short.vector, (await embedder.embed('hello hello')).vector));
    assert.is((await embedder.embed('hello hello', { maxLength: 4, onTruncate: 'error' })).truncated, false);
    const refused = await codeOf(() => embedder.embed(['hello', long], { onTruncate: 'error' }));
    assert.is(refused.code, 'MAX_LENGTH');
    assert.match(refused.message, 'index 1');
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    await embedder.embed(['hello', long, long], { onTruncate: 'warn' });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    assert.equal(
      warnings.map(({ message }) => message),
      [`2 texts, the first at index 1, were cut at ${embedder.maxTokens} tokens.`],
    );
  }),
);

options('maxLength outside what the model can read is MAX_LENGTH', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    for (const maxLength of [0, 1, -1, 1.5, Number.NaN, 1e9, '8' as unknown as number]) {
      assert.is((await codeOf(() => embedder.embed('hello', { maxLength }))).code, 'MAX_LENGTH', String(maxLength));
    }
    assert.is((await embedder.embed('hello hello', { maxLength: 2 })).tokens, 2);
  }),
);

options('promptName that the model lacks is an error that suggests the right one', () =>
  using(golden('sentence/prompts'), async (embedder) => {
    assert.equal(Object.keys(embedder.prompts), ['query', 'passage']);
    assert.match((await codeOf(() => embedder.embed('hello', { promptName: 'pasage' }))).message, 'Did you mean "passage"?');
    assert.is((await codeOf(() => embedder.embed('hello', { promptName: 'query', prompt: 'q: ' }))).code, 'INVALID_OPTION');
    assert.is((await codeOf(() => embedder.embed('hello', { promptName: 'toString' }))).code, 'INVALID_OPTION');
    const own = await embedder.embed('hello', { prompt: 'passage: ' });
    assert.ok(same(own.vector, (await embedder.embed('hello', { promptName: 'passage' })).vector));
  }),
);

options('unknown names are INVALID_OPTION with the right one, in every call', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    assert.match((await codeOf(() => embedder.embed('a', { normalise: true } as EmbedOptions))).message, 'Did you mean "normalize"?');
    assert.match((await codeOf(() => embedder.embedSync('a', { max_length: 3 } as EmbedOptions))).message, 'Did you mean "maxLength"?');
    assert.match((await codeOf(() => loadEmbedder(undefined, { thread: 1 } as object))).message, 'Did you mean "threads"?');
  }),
);

options('threads, precision and device that cannot be had are typed errors', async () => {
  const directory = golden('sentence/pooling-mean');
  for (const threads of [0, -1, 1.5, 1e6, Number.NaN]) {
    assert.is((await codeOf(() => loadEmbedder(directory, { threads }))).code, 'INVALID_OPTION', String(threads));
  }
  assert.is((await codeOf(() => loadEmbedder(directory, { precision: 'fp12' as 'fp32' }))).code, 'PRECISION');
  for (const device of ['cuda:99', 'gpu', 'cuda:', 'cuda:-1'])
    assert.is((await codeOf(() => loadEmbedder(directory, { device: device as 'cpu' }))).code, 'DEVICE', device);
  assert.is((await codeOf(() => loadEmbedder(directory, { device: 0 as unknown as 'cpu' }))).code, 'INVALID_OPTION');
});

const { problem } = systemInfo().cuda;
if (problem !== '') {
  options('a device that is missing: a typed error that says what is missing and what to do', async () => {
    const error = await codeOf(() => loadEmbedder(golden('sentence/pooling-mean'), { device: 'cuda' }));
    assert.instance(error, BerthaError);
    assert.equal([error.code, error.message], ['DEVICE', `device cuda:0 cannot be used: ${problem}`]);
    if (/^this build/.test(problem))
      assert.match(problem, /no CUDA backend; install @bertha-encoder\/\S+-cuda13 .*, or build with BERTHA_CUDA=1/);
  });
}

options('says where it computes, and why', () =>
  using(golden('sentence/pooling-mean'), (embedder) => {
    assert.equal(embedder.device, { asked: 'cpu', chosen: 'cpu', reason: 'as asked' });
  }),
);

options.run();

// --- Bad input, abort, the end of the model.

const inputs = suite('embed input');

inputs('an empty text has a vector', () =>
  using(undefined, async (embedder) => {
    for (const text of ['', '   ', '\t\n']) {
      const { vector, tokens, truncated } = await embedder.embed(text);
      assert.equal([tokens, truncated], [2, false]);
      assert.ok(vector.every(Number.isFinite));
      assert.ok(Math.abs(lengthOf(vector) - 1) < 1e-6);
    }
  }),
);

inputs('no texts give no vectors', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    assert.equal(await embedder.embed([]), []);
    assert.equal(embedder.embedSync([]), []);
  }),
);

inputs('what is not a string is INVALID_ARG and names the index', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const embed = (value: unknown) => codeOf(() => embedder.embed(value as string[]));
    for (const value of [null, undefined, 3, {}, new Set(['a']), Symbol('a'), { toString: () => 'a' }]) {
      assert.is((await embed(value)).code, 'INVALID_ARG');
      const inside = await embed(['a', 'b', value]);
      assert.equal([inside.code, inside.message.includes('text 2')], ['INVALID_ARG', true]);
    }
    assert.match((await embed(new Array(2))).message, 'text 0');
    assert.is((await codeOf(() => embedder.embedSync([3] as unknown as string[]))).code, 'INVALID_ARG');
    assert.is((await codeOf(() => loadEmbedder(3 as unknown as string))).code, 'INVALID_ARG');
    assert.is((await embedder.embed('the next call works')).truncated, false);
  }),
);

inputs('lone surrogates are read as U+FFFD', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const { vector } = await embedder.embed('hel\ud800lo \udc00');
    assert.ok(same(vector, (await embedder.embed('hel\ufffdlo \ufffd')).vector));
  }),
);

inputs('the texts are those at the time of the call', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const texts = ['hello', 'guitar'];
    const pending = embedder.embed(texts);
    texts[0] = 'changed';
    texts.length = 1;
    const results = await pending;
    assert.is(results.length, 2);
    assert.ok(same(results[0]!.vector, (await embedder.embed('hello')).vector));
  }),
);

inputs('vectors own their memory', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const [a, b] = await embedder.embed(['hello', 'guitar']);
    assert.is(a!.vector.buffer.byteLength, a!.vector.byteLength);
    assert.is.not(a!.vector.buffer, b!.vector.buffer);
  }),
);

inputs('10 MB of text are read up to the limit only', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const { tokens, truncated } = await embedder.embed('hello guitar '.repeat(800_000));
    assert.equal([tokens, truncated], [embedder.maxTokens, true]);
    const word = await embedder.embed('a'.repeat(10_000_000));
    assert.is(word.tokens, 3);
  }),
);

inputs('a text over 64 MB (2^25 UTF-16 units) is INPUT_TOO_LARGE', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    assert.is((await codeOf(() => embedder.embed('a'.repeat((1 << 25) + 1)))).code, 'INPUT_TOO_LARGE');
  }),
);

inputs('100,000 texts come back in order, and the event loop stays free', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const texts = Array.from({ length: 100_000 }, (_, i) => (i % 1000 === 0 ? `hello ${i}` : 'hello'));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const results = await embedder.embed(texts);
    clearInterval(timer);
    assert.is(results.length, texts.length);
    for (const i of [0, 1, 999, 1000, 57_000, 99_999]) {
      assert.ok(same(results[i]!.vector, embedder.embedSync(texts[i]!).vector), `text ${i}`);
    }
    assert.ok(turns > 10, `${turns} turns`);
  }),
);

inputs.run();

const life = suite('embed lifecycle');

life('an aborted call rejects with the reason of its signal', () =>
  using(golden('sentence/pooling-mean'), async (embedder) => {
    const texts = new Array<string>(20_000).fill('hello guitar '.repeat(10));
    const rejection = async (signal: AbortSignal, work: string | string[] = texts): Promise<unknown> =>
      embedder.embed(work, { signal }).then(
        () => 'done',
        (error: unknown) => error,
      );
    assert.is(await rejection(AbortSignal.abort('before')), 'before');
    const controller = new AbortController();
    const pending = rejection(controller.signal);
    setTimeout(() => controller.abort('during'), 20);
    assert.is(await pending, 'during');
    const late = new AbortController();
    assert.is(await rejection(late.signal, 'hello'), 'done');
    late.abort();
    assert.is(((await rejection(AbortSignal.abort())) as Error).name, 'AbortError');
    assert.is((await embedder.embed('the next call works')).truncated, false);
  }),
);

life('a disposed embedder refuses with DISPOSED, and disposing twice is once', async () => {
  const embedder = await loadEmbedder(golden('sentence/pooling-mean'));
  embedder.dispose();
  embedder.dispose();
  assert.is((await codeOf(() => embedder.embed('hello'))).code, 'DISPOSED');
  assert.is((await codeOf(() => embedder.embedSync('hello'))).code, 'DISPOSED');
  const other = await loadEmbedder(golden('sentence/pooling-mean'));
  await other[Symbol.asyncDispose]();
  assert.is((await codeOf(() => other.embed([]))).code, 'DISPOSED');
});

life('disposing in a call gives its vectors or DISPOSED', async () => {
  const embedder = await loadEmbedder(golden('sentence/pooling-mean'));
  const pending = embedder.embed(new Array<string>(5000).fill('hello'));
  embedder.dispose();
  const outcome = await pending.then(
    (results) => results.length,
    (error: BerthaError) => error.code,
  );
  assert.ok(outcome === 5000 || outcome === 'DISPOSED', String(outcome));
});

life('a getter among the options that disposes the model leaves an error, not a crash', async () => {
  const embedder = await loadEmbedder(golden('sentence/pooling-mean'));
  const trap: EmbedOptions = {
    get normalize() {
      embedder.dispose();
      return true;
    },
  };
  assert.is((await codeOf(() => embedder.embed('hello', trap))).code, 'DISPOSED');
});

life.run();
