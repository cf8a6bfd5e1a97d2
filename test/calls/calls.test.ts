// What all functions that compute have in common: reading while jobs compute, few jobs at once, timings, one set of options.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as assert from 'uvu/assert';
import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  embedWindows,
  extractFeatures,
  fillMask,
  generate,
  generateStream,
  loadEmbedder,
  loadModel,
  multipleChoice,
  predictNextSentence,
  predictPairs,
  recognizeEntities,
  rerank,
  sentenceSimilarity,
  stats,
  summarize,
  translate,
  type CallTimings,
  type Model,
  type TaskEvent,
  type TaskOptions,
} from '../../src/index.js';
import { callSchema, limitSchema, promptSchema, taskSchema } from '../../src/calls/options.js';
import { packBatch, packInputs } from '../../src/runtime/batch.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('calls');
const text = 'the quick brown fox';
const maskedText = 'the [MASK] brown fox';

const writer = '../golden-generation/tiny/bert2bert-projected';
const greedy = { maxLength: 9, numBeams: 1 };

const tasks: Record<string, [directory: string, call: (model: Model, options: TaskOptions) => Promise<unknown>]> = {
  fillMask: ['tiny/bert-mlm', (model, options) => fillMask(model, maskedText, options)],
  classifyText: ['tiny/bert-sequence-classification', (model, options) => classifyText(model, text, options)],
  predictNextSentence: ['tiny/bert-nsp', (model, options) => predictNextSentence(model, { text, textPair: text }, options)],
  multipleChoice: ['tiny/bert-multiple-choice', (model, options) => multipleChoice(model, { text, choices: [text, 'no'] }, options)],
  recognizeEntities: ['tiny/bert-token-classification', (model, options) => recognizeEntities(model, text, options)],
  answerQuestion: ['tiny/bert-question-answering', (model, options) => answerQuestion(model, { question: 'who?', context: text }, options)],
  detectReplacedTokens: ['tiny/electra-discriminator', (model, options) => detectReplacedTokens(model, text, options)],
  rerank: ['tiny/bert-cross-encoder', (model, options) => rerank(model, text, [text, 'no'], options)],
  predictPairs: ['tiny/bert-cross-encoder', (model, options) => predictPairs(model, [[text, 'no']], options)],
  classifyZeroShot: ['tiny/bert-nli', (model, options) => classifyZeroShot(model, text, ['one', 'two'], options)],
  extractFeatures: ['sentence/normalize', (model, options) => extractFeatures(model, text, options)],
  embedWindows: ['sentence/normalize', (model, options) => embedWindows(model, text, options)],
  generate: [writer, (model, options) => generate(model, text, { ...greedy, ...options })],
  generateStream: [
    writer,
    async (model, options) => {
      const parts = generateStream(model, text, { ...greedy, ...options });
      while ((await parts.next()).done !== true) continue;
    },
  ],
  translate: [writer, (model, options) => translate(model, text, { ...greedy, ...options })],
  summarize: [writer, (model, options) => summarize(model, text, { ...greedy, ...options })],
};

for (const [name, [directory, call]] of Object.entries(tasks)) {
  t(`${name} tells what it spent its time on, and so does bertha:task`, async () => {
    const model = await loadModel(golden(directory));
    const events: TaskEvent[] = [];
    const listener = (event: unknown): void => void events.push(event as TaskEvent);
    const heard: CallTimings[] = [];
    const tokenized = stats().seconds.tokenize;
    subscribe('bertha:task', listener);
    try {
      await call(model, { priority: 'bulk', onTimings: (timings) => heard.push(timings) });
    } finally {
      unsubscribe('bertha:task', listener);
    }
    assert.is(heard.length, 1);
    const { tokenizeMs, queuedMs, computeMs, totalMs } = heard[0]!;
    assert.ok(tokenizeMs > 0 && queuedMs >= 0 && computeMs > 0 && totalMs >= tokenizeMs + computeMs, JSON.stringify(heard[0]));
    assert.ok(stats().seconds.tokenize >= tokenized + tokenizeMs / 1000 - 1e-9);
    const [event] = events;
    assert.is(events.length, 1);
    assert.equal([event!.task, event!.priority, event!.totalMs], [name, 'bulk', totalMs]);
    assert.ok(event!.texts >= 1 && event!.tokens >= 3);
    model.dispose();
  });
}

t('sentenceSimilarity tells its timings as embed does', async () => {
  const model = await loadModel(golden('sentence/normalize'));
  let heard: CallTimings | undefined;
  await sentenceSimilarity(model, text, [text], { onTimings: (timings) => (heard = timings) });
  assert.ok(heard!.totalMs > 0);
  model.dispose();
});

/** How a call went: jobs at once at most, and how many texts had been read when the first job began. */
async function observe(model: Model, call: () => Promise<unknown>): Promise<{ mostAtOnce: number; readAtFirst: number; jobs: number }> {
  const { session, tokenizer } = model;
  const seen = { mostAtOnce: 0, readAtFirst: 0, jobs: 0 };
  let [running, read] = [0, 0];
  const [runTimed, takeTask] = [session.runTimed.bind(session), tokenizer.takeTask.bind(tokenizer)];
  Object.assign(tokenizer, {
    takeTask: (...args: Parameters<typeof takeTask>) => {
      read++;
      return takeTask(...args);
    },
  });
  Object.assign(session, {
    runTimed: async (...args: Parameters<typeof runTimed>) => {
      if (seen.jobs++ === 0) seen.readAtFirst = read;
      seen.mostAtOnce = Math.max(seen.mostAtOnce, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return runTimed(...args).finally(() => running--);
    },
  });
  await call();
  return seen;
}

const many = Array.from({ length: 6 * 512 }, () => 'fox');
const long: Record<string, [directory: string, call: (model: Model) => Promise<unknown>]> = {
  classifyText: ['tiny/bert-sequence-classification', (model) => classifyText(model, many)],
  recognizeEntities: ['tiny/bert-token-classification', (model) => recognizeEntities(model, many)],
  rerank: ['tiny/bert-cross-encoder', (model) => rerank(model, text, many)],
  extractFeatures: ['sentence/normalize', (model) => extractFeatures(model, many, { pooling: 'mean' })],
};

for (const [name, [directory, call]] of Object.entries(long)) {
  t(`${name} computes while it reads, four jobs at once at most`, async () => {
    const model = await loadModel(golden(directory));
    const { mostAtOnce, readAtFirst, jobs } = await observe(model, () => call(model));
    assert.is(jobs, 6);
    assert.ok(readAtFirst <= 512, `${readAtFirst} of ${many.length} texts were read before the first job`);
    assert.ok(mostAtOnce > 1 && mostAtOnce <= 4, `${mostAtOnce} jobs at once`);
    model.dispose();
  });
}

t('windows of one long text go into jobs of about 8192 tokens', async () => {
  const model = await loadModel(golden('sentence/normalize'));
  const { mostAtOnce, jobs } = await observe(model, () => embedWindows(model, 'fox '.repeat(40_000), { maxTokens: 32 }));
  assert.ok(jobs >= 5 && mostAtOnce <= 4, `${jobs} jobs, ${mostAtOnce} at once`);
  model.dispose();
});

t('a failure while texts are read is thrown when nothing runs any more', async () => {
  const model = await loadModel(golden('tiny/bert-mlm'));
  const inputs = [...Array.from({ length: 1024 }, () => maskedText), 'no mask'];
  let isOver = false;
  const { session } = model;
  const runTimed = session.runTimed.bind(session);
  Object.assign(session, {
    runTimed: async (...args: Parameters<typeof runTimed>) => {
      const result = await runTimed(...args);
      await new Promise((resolve) => setTimeout(resolve, 30));
      isOver = true;
      return result;
    },
  });
  await fillMask(model, inputs).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'index 1024'),
  );
  assert.ok(isOver);
  model.dispose();
});

t('a length limit that cannot be is MAX_LENGTH in every call', async () => {
  const limits: Readonly<Record<string, string>> = { answerQuestion: 'maxSeqLen', embedWindows: 'maxTokens' };
  for (const [name, [directory, call]] of Object.entries(tasks)) {
    const model = await loadModel(golden(directory));
    for (const limit of [0, -1, 1.5, Number.NaN, '9', 1_000_000_000]) {
      const error = await rejection(() => call(model, { [limits[name] ?? 'maxLength']: limit }));
      assert.is(error.code, 'MAX_LENGTH', `${name} ${limit}`);
    }
    model.dispose();
  }
});

t('token types that nobody has do not travel, and those of pairs do', () => {
  const ids = Int32Array.of(5, 6, 7);
  const pair = { ids, typeIds: Int32Array.of(0, 0, 1) };
  assert.is(packInputs([{ ids }, { ids }], true).tokenTypeIds, undefined);
  assert.is(packInputs([pair], false).tokenTypeIds, undefined);
  assert.equal(packInputs([{ ids }, pair], true).tokenTypeIds, Int32Array.of(0, 0, 0, 0, 0, 1));
  assert.is(packInputs([{ ids }], true).inputIds, ids);
  const { inputIds, tokenTypeIds } = packBatch([{ ids }]);
  assert.equal([inputIds, tokenTypeIds], [ids, new Int32Array(3)]);
  assert.is.not(inputIds, ids);
});

t('every call takes the options of calls, each checked in one place', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const wrong: readonly (readonly [option: string, value: unknown])[] = [
    ['signal', 1],
    ['priority', 'soon'],
    ['deadlineMs', -1],
    ['onTimings', 1],
    ['onTruncate', 'never'],
  ];
  const refusal = async (work: (options: object) => Promise<unknown>, option: string, value: unknown): Promise<string> =>
    work({ [option]: value }).then(
      () => 'accepted',
      ({ code, message }: Error & { code?: string }) => `${code} ${message.replace(/\w+ option/, 'option')}`,
    );
  for (const [option, value] of wrong) {
    const expected = await refusal((options) => embedder.embed(text, options), option, value);
    assert.match(expected, 'INVALID_OPTION');
    for (const [name, [directory, call]] of Object.entries(tasks)) {
      const isReadInWindows = name === 'answerQuestion' || name === 'embedWindows';
      if (option === 'onTruncate' && isReadInWindows) continue;
      const model = await loadModel(golden(directory));
      assert.is(await refusal((options) => call(model, options), option, value), expected, name);
      model.dispose();
    }
  }
  assert.equal(Object.keys(taskSchema).sort(), [...Object.keys(limitSchema), ...Object.keys(callSchema)].sort());
  assert.equal(Object.keys(promptSchema), ['promptName', 'prompt']);
  embedder.dispose();
});

t.run();
