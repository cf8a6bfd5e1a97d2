import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { compareTexts, type GenerationRow } from '../../scripts/golden/generated-texts.js';
import type { BerthaError } from '../../src/errors.js';
import type { SearchEngine } from '../../src/generation/engine.js';
import { generate, generateBy, type GeneratedText, type GenerateOptions, type GenerationInput } from '../../src/generation/generate.js';
import { nativeEngine } from '../../src/generation/native-engine.js';
import { generateStream, streamBy, type StreamedText } from '../../src/generation/stream.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { stats } from '../../src/runtime/observe.js';
import { prefixEngine } from '../support/prefix-engine.js';
import { suite } from '../support/suite.js';

const t = suite('generate');

const folder = (name: string) => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const names = ['bert2bert-projected', 'bert2bert-shared', 'bertgen-lm', 'marian-separate', 'roberta2roberta'] as const;
const models = new Map<string, Model>();
const casesOf = (name: string) =>
  JSON.parse(readFileSync(`${folder(name)}/cases.json`, 'utf8')) as { texts: string[]; generation: GenerationRow[] };

t.before(async () => {
  for (const name of names) models.set(name, await loadModel(folder(name), { threads: 2 }));
});
t.after(() => models.forEach((model) => model.dispose()));

const [translator, writer] = [() => models.get('bert2bert-projected')!, () => models.get('bertgen-lm')!];
const texts = ['Where is the station?', 'It rains.', 'Water boils at 100 degrees.'];
const greedy: GenerateOptions = { maxLength: 14, numBeams: 1 };

async function refusal(promise: Promise<unknown>): Promise<BerthaError> {
  try {
    await promise;
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('it was not refused');
}

async function partsOf(parts: AsyncIterable<StreamedText>): Promise<StreamedText[]> {
  const list: StreamedText[] = [];
  for await (const part of parts) list.push(part);
  return list;
}

for (const name of names) {
  t(`${name}: writes every text of the reference, with its scores`, async () => {
    const { texts: read, generation } = casesOf(name);
    assert.ok(generation.length >= 20);
    const model = models.get(name)!;
    for (const row of generation) assert.equal(await compareTexts(model, nativeEngine(model), row, read), []);
  });
}

t('the native search writes what a search over whole prefixes writes', async () => {
  const options: GenerateOptions[] = [
    { ...greedy, noRepeatNgramSize: 2 },
    { maxLength: 20, numBeams: 5, numReturnSequences: 5, lengthPenalty: 0.5 },
    { maxNewTokens: 12, numBeams: 1, doSample: true, seed: 9, numReturnSequences: 3, topP: 0.9 },
  ];
  for (const model of [translator(), writer()]) {
    for (const each of options) {
      const native = await generate(model, texts, each);
      const whole = (await generateBy(prefixEngine(model), 'generate', model, texts, each)) as GeneratedText[][];
      assert.equal(native.flat().map(plain), whole.flat().map(plain));
    }
  }
});

/** What must be equal to the letter. */
function plain({ logProbabilities, score, ...rest }: GeneratedText) {
  return { ...rest, count: logProbabilities.length, score: score.toFixed(4) };
}

t('gives a list of texts for an input, and one for each of a list', async () => {
  const one = await generate(translator(), texts[0]!, greedy);
  const many = await generate(translator(), texts, greedy);
  assert.is(one.length, 1);
  assert.is(many.length, 3);
  assert.equal(many[0], one);
  assert.equal(await generate(translator(), [], greedy), []);
  const [{ text, ids, promptIds, tokens, truncated, finishReason, seed }] = one as [GeneratedText];
  assert.is(text, translator().tokenizer.decode(ids, { skipSpecialTokens: true }));
  assert.equal([promptIds, truncated, seed], [Int32Array.of(2), false, undefined]);
  assert.is(tokens, translator().tokenizer.encode(texts[0]!).ids.length);
  assert.ok(finishReason === 'eos' || finishReason === 'length');
});

t('takes ids, and decoder ids with or without the start token', async () => {
  const { ids } = translator().tokenizer.encode(texts[0]!);
  assert.equal(await generate(translator(), { ids }, greedy), await generate(translator(), texts[0]!, greedy));
  const [begun] = await generate(translator(), { ids }, { ...greedy, decoderInputIds: [17, 20] });
  assert.equal(begun!.promptIds, Int32Array.of(2, 17, 20));
  assert.equal([begun], await generate(translator(), { ids }, { ...greedy, decoderInputIds: Int32Array.of(2, 17, 20) }));
  const isRefused = async (options: GenerateOptions, code: string, model = translator()) =>
    assert.is((await refusal(generate(model, { ids }, options))).code, code, JSON.stringify(options));
  await isRefused({ decoderInputIds: [5000] }, 'INVALID_IDS');
  await isRefused({ decoderInputIds: [-1] }, 'INVALID_IDS');
  await isRefused({ decoderInputIds: [0.5] }, 'INVALID_IDS');
  await isRefused({ decoderInputIds: Array.from({ length: 60 }, () => 7), maxLength: null }, 'MAX_LENGTH');
  await isRefused({ decoderInputIds: [5] }, 'INVALID_OPTION', writer());
});

t('draws the same with a seed that a text reported', async () => {
  const options = { maxNewTokens: 10, doSample: true, topK: 0 };
  const [first] = await generate(translator(), texts[0]!, options);
  const [again] = await generate(translator(), texts[0]!, { ...options, seed: first!.seed });
  assert.equal(again, first);
  const other = await generate(translator(), [...texts, ...texts], options);
  assert.ok(new Set(other.map(([each]) => each!.seed)).size > 1);
});

t('ends before a stop text', async () => {
  const options = { maxNewTokens: 12, noRepeatNgramSize: 1, eosTokenId: null };
  const [whole] = await generate(translator(), texts[0]!, options);
  const words = whole!.text.split(' ');
  assert.ok(words.length >= 5, whole!.text);
  const stop = words[3]!;
  const [cut] = await generate(translator(), texts[0]!, { ...options, stop: [stop] });
  assert.is(cut!.finishReason, 'stop');
  assert.is(cut!.text, whole!.text.slice(0, whole!.text.indexOf(stop)));
  assert.is(cut!.logProbabilities.length, cut!.ids.length);
  assert.equal(Array.from(cut!.ids), Array.from(whole!.ids.slice(0, cut!.ids.length)));
  const mean = cut!.logProbabilities.reduce((sum, x) => sum + x, 0) / cut!.ids.length;
  assert.ok(Math.abs(mean - cut!.score) < 1e-12);
  const parts = await partsOf(generateStream(translator(), texts[0]!, { ...options, stop: [stop, 'no such text'] }));
  assert.is(parts.map(({ text }) => text).join(''), cut!.text);
  assert.equal(parts.at(-1)!.result, cut);
});

t('streams parts that together are the text', async () => {
  for (const name of names) {
    const model = models.get(name)!;
    for (const options of [
      { ...greedy, maxLength: 30 },
      { ...greedy, maxLength: 30, doSample: true, seed: 4, topK: 0 },
    ]) {
      const [whole] = await generate(model, texts[2]!, options);
      const parts = await partsOf(generateStream(model, texts[2]!, options));
      assert.is(parts.map(({ text }) => text).join(''), whole!.text);
      assert.equal(
        parts.flatMap(({ ids }) => Array.from(ids)),
        Array.from(whole!.ids),
      );
      assert.equal(
        parts.map(({ done }) => done),
        parts.map((_, i) => i === parts.length - 1),
      );
      assert.equal(parts.at(-1)!.result, whole);
      assert.not.ok(parts.some(({ text }) => /[\ud800-\udbff]$/.test(text)));
    }
  }
});

t('streams while it generates, and stops when nobody listens any more', async () => {
  let [steps, ended] = [0, false];
  const model = translator();
  const engine = prefixEngine(model);
  const options = { maxNewTokens: 40, eosTokenId: null, noRepeatNgramSize: 1 };
  const watched: typeof engine = async (task, run) => {
    try {
      return await engine(task, { ...run, onIds: (ids, stop) => (steps++, run.onIds?.(ids, stop)) });
    } finally {
      ended = true;
    }
  };
  for await (const { text, done } of streamBy(watched, 'generateStream', model, texts[0]!, options)) {
    assert.ok(text.length > 0 && !done);
    break;
  }
  while (!ended) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(steps > 0 && steps < 40, `${steps} steps`);
});

t('an abort rejects with its reason, before and while it generates', async () => {
  const reason = new Error('enough');
  const options = { maxNewTokens: 40, eosTokenId: null };
  assert.is(await refusal(generate(translator(), texts[0]!, { ...options, signal: AbortSignal.abort(reason) })), reason);
  assert.is(await refusal(partsOf(generateStream(translator(), texts[0]!, { ...options, signal: AbortSignal.abort(reason) }))), reason);
  const controller = new AbortController();
  const abortAtOnce = async () => {
    for await (const part of generateStream(translator(), texts[0]!, { ...options, noRepeatNgramSize: 1, signal: controller.signal })) {
      if (part.text.length > 0) controller.abort(reason);
    }
  };
  const error = await refusal(abortAtOnce().then(() => Promise.reject(new Error('it had ended already'))));
  // All parts may have been there before the abort.
  assert.ok(error === reason || error.message === 'it had ended already');
  const many = Array.from({ length: 200 }, () => texts[0]!);
  const later = new AbortController();
  const running = refusal(generate(translator(), many, { ...options, numBeams: 8, signal: later.signal }));
  setImmediate(() => later.abort(reason));
  assert.is(await running, reason);
});

t('the first failure ends the texts beside it', async () => {
  const model = translator();
  const ended: string[] = [];
  let isWaiting = 0;
  const engine: SearchEngine = (task, { signal }) =>
    new Promise((_, reject) => {
      if (task.source!.ids.length === 3) {
        const wait = (): void => void (isWaiting === 2 ? reject(new Error('the first')) : setImmediate(wait));
        return wait();
      }
      isWaiting++;
      signal!.addEventListener('abort', () => {
        ended.push('aborted');
        reject(new Error('a later one'));
      });
    });
  const three = { ids: Int32Array.of(2, 17, 3) };
  const two = { ids: Int32Array.of(2, 3) };
  const error = await refusal(generateBy(engine, 'generate', model, [two, three, two], greedy));
  assert.equal([error.message, ended], ['the first', ['aborted', 'aborted']]);
});

t('a stream that nobody reads holds the ids of its text and no more, and ends with its model', async () => {
  const model = await loadModel(folder('bert2bert-projected'));
  const options = { maxNewTokens: 40, eosTokenId: null, noRepeatNgramSize: 1 };
  const [whole] = await generate(model, texts[0]!, options);
  const before = stats().generation;
  const streams = Array.from({ length: 20 }, () => generateStream(model, texts[0]!, options));
  const firsts = await Promise.all(streams.map((stream) => stream.next()));
  // Nobody takes more: the texts are written to their ends all the same, and give their native memory back.
  while (stats().generation.texts > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.is(stats().generation.stateBytes, before.stateBytes);
  // Texts are counted where they are written; their last tokens come to this thread before what a later text brings.
  await generate(model, texts[0]!, { ...options, maxNewTokens: 1 });
  model.dispose();
  for (const [i, stream] of streams.entries()) {
    const rest = await partsOf(stream);
    const parts = [firsts[i]!.value as StreamedText, ...rest];
    assert.is(parts.map(({ text }) => text).join(''), whole!.text);
    assert.equal(parts.at(-1)!.result, whole);
    assert.ok(rest.length <= 2, `${rest.length} parts for what had come meanwhile`);
  }
  assert.is((await refusal(partsOf(generateStream(model, texts[0]!, options)))).code, 'DISPOSED');
});

t('a model that is disposed while it streams ends its streams: with the text, or DISPOSED', async () => {
  const model = await loadModel(folder('bert2bert-projected'));
  const options = { maxNewTokens: 40, eosTokenId: null, noRepeatNgramSize: 1 };
  const [whole] = await generate(model, texts[0]!, options);
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      let text = '';
      try {
        for await (const part of generateStream(model, texts[0]!, options)) {
          text += part.text;
          if (i === 0) model.dispose();
        }
      } catch (error) {
        return (error as BerthaError).code;
      }
      return text;
    }),
  );
  assert.ok(
    outcomes.every((outcome) => outcome === 'DISPOSED' || outcome === whole!.text),
    JSON.stringify(outcomes),
  );
  assert.is(stats().generation.texts, 0);
});

t('a deadline ends texts with what they have, or rejects before they begin', async () => {
  const many = Array.from({ length: 300 }, () => texts[0]!);
  const made = await generate(translator(), many, { maxNewTokens: 40, numBeams: 8, eosTokenId: null, deadlineMs: 15 }).then(
    (list) => list.flat(),
    (error: BerthaError) => error.code,
  );
  if (typeof made === 'string') assert.is(made, 'DEADLINE');
  else assert.ok(made.every(({ finishReason }) => finishReason === 'deadline' || finishReason === 'length'));
  assert.is((await refusal(generate(translator(), texts[0]!, { ...greedy, deadlineMs: 0 }))).code, 'DEADLINE');
});

t('refuses models that do not write, what is no model and no input, and beams in a stream', async () => {
  const encoder = await loadModel();
  const error = await refusal(generate(encoder, 'a', {}));
  assert.is(error.code, 'NO_HEAD');
  assert.match(error.message, /embed/);
  assert.is((await refusal(partsOf(generateStream(encoder, 'a')))).code, 'NO_HEAD');
  encoder.dispose();
  assert.is((await refusal(generate(encoder, 'a'))).code, 'DISPOSED');
  assert.is((await refusal(generate({} as Model, 'a'))).code, 'INVALID_ARG');
  for (const input of [5, null, {}, { ids: [1, 2] }]) {
    const { code, message } = await refusal(generate(translator(), [texts[0]!, input as GenerationInput]));
    assert.is(code, 'INVALID_ARG');
    assert.match(message, /index 1/);
  }
  const beams = await refusal(partsOf(generateStream(models.get('marian-separate')!, texts[0]!, {})));
  assert.equal([beams.code, beams.message.includes('generation_config.json')], ['INVALID_OPTION', true]);
  const several = await refusal(partsOf(generateStream(translator(), texts[0]!, { doSample: true, numReturnSequences: 2 })));
  assert.is(several.code, 'INVALID_OPTION');
  const banned = await refusal(
    generate(writer(), texts[0]!, { suppressTokens: Array.from({ length: writer().config.vocabSize }, (_, id) => id) }),
  );
  assert.equal([banned.code, banned.message.includes('suppressTokens')], ['INVALID_OPTION', true]);
  assert.is((await refusal(generate(translator(), texts[0]!, { maxNewTokens: 400 }))).code, 'MAX_LENGTH');
});

t('cuts a long source and says so; what a decoder goes on from is not cut', async () => {
  const long = Array.from({ length: 80 }, () => 'water').join(' ');
  const [made] = await generate(translator(), long, greedy);
  assert.equal([made!.truncated, made!.tokens], [true, translator().maxTokens]);
  assert.is((await refusal(generate(translator(), long, { ...greedy, onTruncate: 'error' }))).code, 'MAX_LENGTH');
  assert.is((await refusal(generate(writer(), long, { maxLength: null }))).code, 'MAX_LENGTH');
});

t('writes from an empty text', async () => {
  for (const name of ['bert2bert-projected', 'marian-separate', 'bertgen-lm'] as const) {
    const [made] = await generate(models.get(name)!, '', { maxLength: 8, numBeams: 1 });
    assert.ok(made!.ids.length > 0);
  }
});

t.run();
