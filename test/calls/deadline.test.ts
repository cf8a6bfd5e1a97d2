// A deadline counts from the call, for everything that the call starts.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  classifyText,
  classifyZeroShot,
  embedWindows,
  extractFeatures,
  loadEmbedder,
  loadModel,
  pipeline,
  rerank,
  sentenceSimilarity,
  type EmbedOptions,
  type Model,
} from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';

const t = suite('deadline');
const kDeadlineMs = 60_000;
const sentence = 'the quick brown fox jumps over the lazy dog near the river bank while it rains';

/** What `session.run` is told about the time left, each run taking some milliseconds longer than it needs. */
function recordDeadlines(model: Model): number[] {
  const { session } = model;
  const run = session.run.bind(session);
  const runTimed = session.runTimed.bind(session);
  const left: number[] = [];
  const pause = async (deadlineMs: number | undefined): Promise<void> => {
    left.push(deadlineMs!);
    await new Promise((resolve) => setTimeout(resolve, 15));
  };
  Object.assign(session, {
    run: async (...args: Parameters<typeof run>) => {
      await pause(args[2]!.deadlineMs);
      return run(...args);
    },
    runTimed: async (...args: Parameters<typeof runTimed>) => {
      await pause(args[2]!.deadlineMs);
      return runTimed(...args);
    },
  });
  return left;
}

const many = Array.from({ length: 6 * 512 }, () => 'hello');
const options = { deadlineMs: kDeadlineMs };
const calls: Record<string, [source: string, call: (model: Model) => Promise<unknown>]> = {
  classifyText: ['tiny/bert-sequence-classification', (model) => classifyText(model, many, options)],
  rerank: ['tiny/bert-cross-encoder', (model) => rerank(model, 'hello', many, options)],
  classifyZeroShot: ['tiny/bert-nli', (model) => classifyZeroShot(model, many, ['one', 'two'], options)],
  extractFeatures: ['sentence/pooling-mean', (model) => extractFeatures(model, many, { ...options, pooling: 'model' })],
  embedWindows: ['sentence/pooling-mean', (model) => embedWindows(model, sentence.repeat(400), { ...options, maxTokens: 4 })],
  sentenceSimilarity: ['sentence/pooling-mean', (model) => sentenceSimilarity(model, 'hello', many, options)],
  pipeline: [
    'tiny/bert-sequence-classification',
    async (model) => (await pipeline('text-classification', model))(many, { deadline_ms: kDeadlineMs }),
  ],
};

for (const [name, [source, call]] of Object.entries(calls)) {
  t(`${name} counts it from the call for every job`, async () => {
    const model = await loadModel(golden(source));
    const left = recordDeadlines(model);
    await call(model);
    assert.ok(left.length >= 6, `${left.length} jobs`);
    // At most four jobs are under way at once, so the fifth begins when the first has ended, some 15 ms after the call; timers may be early.
    assert.ok(left[0]! <= kDeadlineMs && left[4]! < kDeadlineMs - 5 && left[5]! < kDeadlineMs - 5, left.join());
    model.dispose();
  });
}

t('embedMany counts it from the call for every block', async () => {
  const embedder = await loadEmbedder(golden('sentence/pooling-mean'));
  const embed = embedder.embed.bind(embedder);
  const left: number[] = [];
  Object.assign(embedder, {
    embed: async (texts: readonly string[], given: EmbedOptions) => {
      left.push(given.deadlineMs!);
      await new Promise((resolve) => setTimeout(resolve, 15));
      return embed(texts, given);
    },
  });
  const stream = embedder.embedMany(many, { deadlineMs: kDeadlineMs, concurrency: 1 });
  await new Promise((resolve) => setTimeout(resolve, 15));
  let count = 0;
  for await (const { tokens } of stream) count += tokens > 0 ? 1 : 0;
  assert.is(count, many.length);
  left.forEach((ms, block) => assert.ok(ms < kDeadlineMs - 5 * (block + 1), left.join()));
  assert.is(left.length, many.length / 256);
  await embedder[Symbol.asyncDispose]();
});

t('once it has passed, reading texts ends with DEADLINE', async () => {
  const model = await loadModel(golden('tiny/bert-sequence-classification'));
  const left = recordDeadlines(model);
  const texts = new Array<string>(200_000).fill(sentence);
  const failure = await classifyText(model, texts, { deadlineMs: 20 }).catch((error: { code: string }) => error.code);
  assert.is(failure, 'DEADLINE');
  assert.ok(left.length < 20, left.join());
  model.dispose();
});

t.run();
