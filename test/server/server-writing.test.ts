import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import * as assert from 'uvu/assert';
import { withEvents } from '../../packages/server/src/answers/events.js';
import { generate, loadModel, setMaxStateBytes, stats, summarize, translate, type CallEvent, type Model } from '../../src/index.js';
import { open, post } from './support/raw.js';
import { serve, serverSuite, tinyModels, type Serving } from './support/serving.js';

const t = serverSuite('server: texts as events, completions, pipelines that write');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
let server: Serving;
let marian: Model;
let causal: Model;
t.before(async () => {
  const writers = ['marian-separate', 'bertgen-lm'].map((name) => ({ name, model: folder(name) }));
  server = await serve({ models: [tinyModels[0]!, ...writers] });
  [marian, causal] = (await Promise.all(writers.map(({ model }) => loadModel(model)))) as [Model, Model];
});
t.after(() => {
  marian.dispose();
  causal.dispose();
});

/** The data of server-sent events. */
function eventsOf(text: string): string[] {
  assert.ok(text.endsWith('\n\n'), text);
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => {
      assert.match(event, /^data: [^\n]+$/);
      return event.slice('data: '.length);
    });
}
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const input = 'The house is small.';

interface TokenEvent {
  readonly index: number;
  readonly token: { readonly id: number; readonly text: string; readonly special: boolean };
  readonly generated_text: string | null;
  readonly details: object | null;
}

t('/tasks/generate and /tasks/summarize with stream: a token an event, the text in the last', async () => {
  const options = { numBeams: 1, maxNewTokens: 12 };
  for (const [task, model, name] of [
    ['generate', causal, 'bertgen-lm'],
    ['generate', marian, 'marian-separate'],
    ['summarize', marian, 'marian-separate'],
  ] as const) {
    const [whole] = await generate(model, input, options);
    const answer = await server.post(`/tasks/${task}`, { inputs: input, model: name, stream: true, ...options });
    assert.equal([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream'], answer.text);
    const events = eventsOf(answer.text).map((each) => JSON.parse(each) as TokenEvent);
    assert.equal(
      events.map(({ token }) => token.id),
      [...whole!.ids],
    );
    assert.is(events.map(({ token }) => token.text).join(''), whole!.text);
    assert.equal(
      events.map(({ index }) => index),
      events.map((_, i) => i + 1),
    );
    assert.ok(events.slice(0, -1).every(({ generated_text, details }) => generated_text === null && details === null));
    const reason = whole!.finishReason === 'eos' ? 'eos_token' : whole!.finishReason;
    assert.equal(
      [events.at(-1)!.generated_text, events.at(-1)!.details],
      [whole!.text, { finish_reason: reason, generated_tokens: whole!.ids.length, seed: null }],
    );
  }
});

t('streams refuse lists, beams and models that do not write before anything is sent', async () => {
  const cases: [string, object, number, RegExp][] = [
    ['/tasks/generate', { inputs: [input, input], model: 'bertgen-lm', stream: true }, 422, /one text/],
    ['/tasks/generate', { inputs: input, model: 'bertgen-lm', stream: true, numBeams: 2 }, 422, /one beam/],
    ['/tasks/generate', { inputs: input, model: tinyModels[0]!.name, stream: true }, 424, /writes texts/],
    ['/tasks/translate', { inputs: input, model: 'marian-separate', stream: true }, 422, /stream/],
    ['/generate_stream', { inputs: input, model: 'bertgen-lm', parameters: { num_return_sequences: 2, do_sample: true } }, 422, /one text/],
    ['/v1/completions', { prompt: input, model: tinyModels[0]!.name }, 424, /writes texts/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', n: 129 }, 422, /128/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', temperature: -1, stream: true }, 422, /above 0/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', max_tokens: 5000 }, 422, /at most/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', best_of: 3 }, 422, /best_of/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', presence_penalty: 0.5 }, 422, /presence_penalty/],
    ['/v1/completions', { prompt: input, model: 'bertgen-lm', logprobs: 1 }, 422, /logprobs/],
    ['/v1/completions', { prompt: [], model: 'bertgen-lm' }, 400, /at least one/],
    ['/v1/completions', { model: 'bertgen-lm' }, 422, /prompt/],
    ['/v1/completions', { prompt: [[5, 99_999]], model: 'bertgen-lm' }, 422, /ids from 0/],
    ['/pipeline/text-generation', { inputs: [], model: 'bertgen-lm' }, 400, /at least one/],
    ['/pipeline/translation', { inputs: input, model: 'marian-separate', parameters: { tgt_lang: 'fr' } }, 422, /fr/],
  ];
  for (const [path, body, status, message] of cases) {
    const answer = await server.post(path, body);
    assert.match(answer.text, message);
    assert.is(answer.status, status, `${path} ${JSON.stringify(body)}: ${answer.text}`);
    if (path.startsWith('/v1/')) assert.ok(typeof (answer.json as { error: { type: string } }).error.type === 'string');
  }
});

interface Completion {
  readonly object: string;
  readonly model: string;
  readonly choices: readonly { readonly index: number; readonly text: string; readonly finish_reason: string | null }[];
  readonly usage: object;
}

t('/v1/completions answers as the library writes: n of each prompt, each by a seed of its own', async () => {
  const prompts = [input, 'Water'];
  const asked = { temperature: 0.8, top_p: 0.9, seed: 5, n: 2, max_tokens: 6 };
  const options = { doSample: true, temperature: 0.8, topP: 0.9, topK: 0, maxNewTokens: 6 };
  const each = prompts.flatMap((prompt) => [5, 6].map((seed) => ({ prompt, seed })));
  const expected = await Promise.all(each.map(async ({ prompt, seed }) => (await generate(causal, prompt, { ...options, seed }))[0]!));
  const { status, json, text } = await server.post('/v1/completions', { prompt: prompts, model: 'bertgen-lm', ...asked });
  assert.is(status, 200, text);
  const { choices, usage, object, model } = json as Completion;
  assert.equal([object, model], ['text_completion', 'bertgen-lm']);
  assert.equal(
    choices.map(({ index, text: made, finish_reason }) => [index, made, finish_reason]),
    expected.map((made, i) => [i, made.text, made.finishReason === 'eos' ? 'stop' : 'length']),
  );
  const [read, written] = [expected[0]!.tokens + expected[2]!.tokens, expected.reduce((sum, { ids }) => sum + ids.length, 0)];
  assert.equal(usage, { prompt_tokens: read, completion_tokens: written, total_tokens: read + written });
  const ids = await server.post('/v1/completions', {
    prompt: [...causal.tokenizer.encode(input).ids],
    model: 'bertgen-lm',
    temperature: 0,
    max_tokens: 4,
  });
  const [greedy] = await generate(causal, input, { maxNewTokens: 4 });
  assert.is((ids.json as Completion).choices[0]!.text, greedy!.text);
});

t('/v1/completions streams the same in chunks, with usage where asked and [DONE] at the end', async () => {
  const asked = { prompt: input, model: 'bertgen-lm', seed: 3, n: 3, max_tokens: 8 };
  const whole = (await server.post('/v1/completions', asked)).json as Completion;
  const answer = await server.post('/v1/completions', { ...asked, stream: true, stream_options: { include_usage: true } });
  const events = eventsOf(answer.text);
  assert.is(events.pop(), '[DONE]');
  const chunks = events.map((event) => JSON.parse(event) as Completion);
  const last = chunks.pop()!;
  assert.equal([last.choices, last.usage], [[], whole.usage]);
  assert.ok(chunks.every(({ usage, choices }) => usage === null && choices.length === 1));
  for (const { index, text, finish_reason } of whole.choices) {
    const own = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
    assert.is(own.map((choice) => choice.text).join(''), text);
    assert.equal(
      own.map((choice) => choice.finish_reason),
      own.map((_, i) => (i === own.length - 1 ? finish_reason : null)),
    );
  }
  const without = eventsOf((await server.post('/v1/completions', { ...asked, stream: true })).text);
  assert.ok(!without.some((event) => event.includes('usage')));
  const models = new Set(chunks.map(({ model, object }) => `${model} ${object}`));
  assert.equal([...models], ['bertgen-lm text_completion']);
});

t('/v1/completions writes 16 tokens where nothing says how many, and stops at texts', async () => {
  const ask = async (more: object) =>
    (await server.post('/v1/completions', { prompt: input, model: 'bertgen-lm', temperature: 0, ...more })).json as Completion;
  const [greedy] = await generate(causal, input, { maxNewTokens: 16 });
  const { choices, usage } = await ask({});
  assert.equal([choices[0]!.text, choices[0]!.finish_reason], [greedy!.text, greedy!.finishReason === 'eos' ? 'stop' : 'length']);
  assert.is((usage as { completion_tokens: number }).completion_tokens, greedy!.ids.length);
  const stop = greedy!.text.split(' ')[2]!;
  const [cut] = await generate(causal, input, { maxNewTokens: 16, stop: [stop] });
  for (const given of [stop, ['never there', stop]]) {
    const stopped = (await ask({ stop: given })).choices[0]!;
    assert.equal([stopped.text, stopped.finish_reason], [cut!.text, 'stop']);
  }
});

t("Hugging Face's pipelines and text-generation-inference's routes write as the library does", async () => {
  const beams = { numBeams: 2, maxNewTokens: 7 };
  const asked = { num_beams: 2, max_new_tokens: 7 };
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await server.post(path, body);
    assert.is(answer.status, 200, answer.text);
    return answer.json;
  };
  const texts = [input, 'It rains.'];
  assert.equal(
    await ask('/models/marian-separate/pipeline/translation', { inputs: texts, parameters: asked }),
    (await translate(marian, texts, beams)).map(({ text }) => ({ translation_text: text })),
  );
  assert.equal(await ask('/models/marian-separate/pipeline/summarization', { inputs: input, parameters: asked }), [
    { summary_text: (await summarize(marian, input, beams)).text },
  ]);
  const [greedy] = await generate(causal, input, { maxNewTokens: 9 });
  const length = { max_new_tokens: 9 };
  const details = {
    finish_reason: greedy!.finishReason === 'eos' ? 'eos_token' : greedy!.finishReason,
    generated_tokens: greedy!.ids.length,
    seed: null,
  };
  assert.equal(await ask('/models/bertgen-lm/', { inputs: input, parameters: length }), [{ generated_text: greedy!.text }]);
  assert.equal(
    await ask('/generate', { inputs: input, model: 'bertgen-lm', parameters: { ...length, details: true, return_full_text: true } }),
    {
      generated_text: input + greedy!.text,
      details,
    },
  );
  const drawn = await generate(causal, texts, { maxNewTokens: 5, doSample: true, temperature: 0.7, seed: 9 });
  assert.equal(
    await ask('/pipeline/text-generation', {
      inputs: texts,
      model: 'bertgen-lm',
      parameters: { temperature: 0.7, seed: 9, max_new_tokens: 5, unknown_to_us: 1 },
    }),
    drawn.map(([each]) => [{ generated_text: each!.text }]),
  );
  for (const [path, body] of [
    ['/models/bertgen-lm/', { inputs: input, parameters: length, stream: true }],
    ['/generate_stream', { inputs: input, model: 'bertgen-lm', parameters: length }],
  ] as const) {
    const events = eventsOf((await server.post(path, body)).text).map((each) => JSON.parse(each) as TokenEvent);
    assert.equal([events.at(-1)!.generated_text, plain(events.at(-1)!.details)], [greedy!.text, details]);
  }
});

t('a client that closes its connection ends its texts', async () => {
  const errors: (string | undefined)[] = [];
  const listener = (event: unknown): void => void errors.push((event as CallEvent).error);
  const { maxStateBytes, stateBytes } = stats().generation;
  // One text at a time: those that wait are many when the client goes.
  setMaxStateBytes(40_000);
  subscribe('bertha:call', listener);
  try {
    const prompt = Array.from({ length: 10 }, () => input);
    const body = JSON.stringify({ prompt, model: 'bertgen-lm', n: 100, max_tokens: 30, stream: true });
    const socket = await open(server.address);
    socket.write(post('/v1/completions', body));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    // Those that have not begun when the client goes never do; one after the other would take a second.
    for (let known = -1; known !== errors.length || stats().generation.texts > 0;) {
      known = errors.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    unsubscribe('bertha:call', listener);
    setMaxStateBytes(maxStateBytes);
  }
  const written = errors.filter((error) => error === undefined).length;
  assert.ok(written < 900, `${written} of 1000 were written`);
  assert.equal([stats().generation.texts, stats().generation.stateBytes], [0, stateBytes]);
});

t('events wait for a slow reader, end with its connection, and tell of a late failure', async () => {
  const app = Fastify();
  let [sent, isAtEnd] = [0, false];
  const event = 'x'.repeat(8192);
  app.get('/much', (request, reply) =>
    withEvents({ request, reply }, 'tei', async (send) => {
      while (sent < 20_000 && !reply.raw.destroyed) await send((sent++, event));
      // Events that were made before their maker heard of it do not wait for a reader who has gone.
      for (let i = 0; i < 3; i++) await send(event);
      isAtEnd = true;
    }),
  );
  app.get('/late', (request, reply) =>
    withEvents({ request, reply }, 'openai', async (send) => {
      await send({ first: true });
      throw Object.assign(new Error('no more'), { statusCode: 418 });
    }),
  );
  const address = await app.listen({ port: 0 });
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('GET /much HTTP/1.1\r\nhost: x\r\n\r\n');
  let before = -1;
  while (sent === 0 || sent !== before) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // 160 MB are to come: what the kernel's buffers hold has gone out, and a stream's buffer more.
  assert.ok(sent * event.length < 40_000_000 && !isAtEnd, `${sent} events`);
  socket.destroy();
  while (!isAtEnd) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(sent < 20_000);
  const late = eventsOf(await (await fetch(`${address}/late`)).text()).map((each) => JSON.parse(each) as { error?: { message: string } });
  assert.equal([late.length, late[1]!.error!.message], [2, 'no more']);
  await app.close();
});

t('the document of OpenAPI has the routes and their events', async () => {
  const { paths } = (await server.get('/openapi.json')).json as {
    paths: Record<string, { post: { responses: { 200: { content: object } } } }>;
  };
  const types = (path: string): string[] => Object.keys(paths[path]!.post.responses[200].content);
  assert.equal(types('/v1/completions'), ['application/json', 'text/event-stream']);
  assert.equal(types('/tasks/generate'), ['application/json', 'text/event-stream']);
  assert.equal(types('/tasks/translate'), ['application/json']);
  assert.equal(types('/generate_stream'), ['text/event-stream']);
});

t.run();
