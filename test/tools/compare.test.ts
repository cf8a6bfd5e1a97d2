import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import { type BerthaError, compare, comparisonHtml, comparisonSvg, loadEmbedder, loadModel } from '../../src/index.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('compare');
const directory = golden('tiny/bert-base-noprefix');
const texts = ['hello', 'hello guitar', 'a guitar & a <cat>'];

async function rejection(call: Promise<unknown>): Promise<BerthaError> {
  return call.then(
    () => {
      throw new Error('Expected a rejection but received a result.');
    },
    (error: unknown) => error as BerthaError,
  );
}

/** The model's own vectors and states, with value `at` of layer 1 changed by `by`. */
async function reference(by = 0, at = 0): Promise<{ file: string; jsonl: string; tokens: number; width: number }> {
  const folder = temporaryFolder();
  const [model, embedder] = [await loadModel(directory), await loadEmbedder(directory)];
  const results = await model.forward(
    texts.map((text) => model.tokenizer.encode(text)),
    { hiddenStates: true },
  );
  const embeddings = await embedder.embed(texts);
  const layers = results[0]!.hiddenStates!.map((_, layer) => results.map(({ hiddenStates }) => hiddenStates![layer]!.data));
  layers[1]![0]![at]! += by;
  const tensor = (name: string, parts: readonly Float32Array[], width: number) => {
    const data = Float32Array.from(parts.flatMap((part) => [...part]));
    return { name, dtype: 'F32' as const, shape: [data.length / width, width], bytes: new Uint8Array(data.buffer) };
  };
  const width = model.config.hiddenSize;
  const tensors = layers.map((parts, layer) => tensor(`hidden_states.${layer}`, parts, width));
  const vectors = embeddings.map(({ vector }) => vector);
  const file = path.join(folder, 'reference.safetensors');
  await writeSafetensors(file, [...tensors, tensor('embeddings', vectors, vectors[0]!.length)]);
  const jsonl = path.join(folder, 'reference.jsonl');
  writeFileSync(jsonl, texts.map((text, i) => JSON.stringify({ text, embedding: Array.from(vectors[i]!) })).join('\n') + '\n');
  model.dispose();
  embedder.dispose();
  return { file, jsonl, tokens: layers[0]!.reduce((sum, part) => sum + part.length / width, 0), width };
}

t('finds a model equal to its own values, in every layer and the vectors', async () => {
  const { file, jsonl } = await reference();
  const result = await compare(directory, { reference: file, texts });
  assert.ok(result.within);
  assert.is(result.firstDeparture, undefined);
  assert.equal([result.layers[0], result.layers[1], result.layers.at(-1)], ['input', 'layer 1', 'embedding']);
  for (const { relativeL2, maxAbs, cosine } of result.worst) assert.ok(relativeL2 < 1e-6 && maxAbs < 1e-5 && cosine > 0.999999);
  const lines = await compare(directory, { reference: jsonl });
  assert.equal(
    lines.texts.map(({ text }) => text),
    texts,
  );
  assert.equal(lines.layers, ['embedding']);
  assert.ok(lines.within);
});

t('names the first layer that departs, and the text', async () => {
  const { file } = await reference(0.5, 3);
  const result = await compare(directory, { reference: file, texts });
  assert.not(result.within);
  assert.is(result.firstDeparture, 'layer 1');
  assert.equal(
    result.texts.map(({ firstDeparture }) => firstDeparture),
    ['layer 1', undefined, undefined],
  );
  assert.ok(Math.abs(result.worst[1]!.maxAbs - 0.5) < 1e-4);
  assert.ok((await compare(directory, { reference: file, texts, tolerance: 10 })).within);
});

t('takes what is not a number for a departure', async () => {
  const { file } = await reference(NaN);
  const result = await compare(directory, { reference: file, texts, tolerance: 1e9 });
  assert.not(result.within);
  assert.is(result.firstDeparture, 'layer 1');
});

t('compares with another model, and with itself in another precision', async () => {
  assert.ok((await compare(directory, { with: directory, texts })).within);
  const wider = await rejection(compare(directory, { with: golden('tiny/bert-relu'), texts: ['a'] }));
  assert.is(wider.code, 'REFERENCE');
  assert.match(wider.message, /Expected 34 numbers a row in input, .*bert-relu has 36/);
  const other = await compare(golden('tiny/bert-mlm-gamma-beta'), { with: golden('tiny/bert-relu'), texts: ['a'] });
  assert.is(other.firstDeparture, 'input');
  const int8 = await compare(directory, { precision: 'int8', texts, tolerance: 1e-5 });
  assert.is(int8.precision.chosen, 'int8');
  assert.not(int8.within);
  assert.is(int8.firstDeparture, 'layer 1');
  assert.ok((await compare(directory, { precision: 'fp16-weights', texts })).within);
});

t('files of other shapes and forms are REFERENCE errors that say what and where', async () => {
  const { file, tokens, width } = await reference();
  const fewer = await rejection(compare(directory, { reference: file, texts: texts.slice(1) }));
  assert.is(fewer.code, 'REFERENCE');
  assert.match(fewer.message, `but received ${tokens}`);
  const folder = temporaryFolder();
  const jsonl = (content: string) => {
    const name = path.join(folder, 'x.jsonl');
    writeFileSync(name, content);
    return rejection(compare(directory, { reference: name, texts: ['hello'] }));
  };
  assert.match(
    (await jsonl(JSON.stringify({ embedding: [1, 2, 3] }))).message,
    `Expected 3 values for embedding of text 0 but the model gives ${width}`,
  );
  const deep = path.join(folder, 'deep.safetensors');
  const bytes = new Uint8Array(4 * tokens * width);
  await writeSafetensors(deep, [{ name: 'hidden_states.99', dtype: 'F32', shape: [tokens, width], bytes }]);
  const unknown = await rejection(compare(directory, { reference: deep, texts }));
  assert.is(unknown.code, 'REFERENCE');
  assert.match(unknown.message, 'received layer 99 as well');
  for (const content of [
    '{',
    '[]',
    '{"embedding":["1"]}',
    '{"text":"a"}',
    '{"embedding":[1]}\n{"text":"a"}',
    '{"hidden_states":[[1]]}',
    '',
  ]) {
    assert.is((await jsonl(content)).code, 'REFERENCE', content);
  }
  assert.is((await rejection(compare(directory, { reference: path.join(folder, 'none.jsonl') }))).code, 'IO');
  assert.is((await rejection(compare(directory, { reference: file }))).code, 'INVALID_OPTION');
  assert.is((await rejection(compare(directory, {}))).code, 'INVALID_OPTION');
  assert.is((await rejection(compare(directory, { with: directory, tolerance: 0 }))).code, 'INVALID_OPTION');
  assert.is((await rejection(compare(directory, { with: directory, texts: [] }))).code, 'INVALID_OPTION');
});

t('draws a chart with a line for every text, and a page with every number', async () => {
  const result = await compare(directory, { precision: 'int8', texts });
  const svg = comparisonSvg(result);
  assert.is(svg.match(/<polyline/g)!.length, texts.length + 1);
  assert.not.match(svg, /NaN|Infinity|undefined/);
  const html = comparisonHtml(result);
  assert.is(html.match(/<tr>/g)!.length, texts.length + 2);
  assert.match(html, 'a guitar &amp; a &lt;cat&gt;');
  const { file } = await reference(NaN);
  assert.not.match(comparisonSvg(await compare(directory, { reference: file, texts })), /NaN|Infinity|undefined/);
});

t('the command prints a table, writes chart and page, and exits with 1 beyond the tolerance', async () => {
  const { file, jsonl } = await reference();
  const folder = temporaryFolder();
  const run = (...args: string[]) => spawnSync(process.execPath, [cliProgram, 'compare', directory, ...args], { encoding: 'utf8' });
  const good = run('--reference', jsonl, '--html', path.join(folder, 'c.html'), '--svg', path.join(folder, 'c.svg'));
  assert.is(good.status, 0, good.stderr);
  assert.match(good.stdout, 'Within the tolerance of 0.00001');
  assert.match(readFileSync(path.join(folder, 'c.svg'), 'utf8'), /^<svg /);
  assert.match(readFileSync(path.join(folder, 'c.html'), 'utf8'), '<svg ');
  writeFileSync(path.join(folder, 'texts'), `${texts.join('\n')}\n`);
  const far = run('--precision', 'int8', '--tolerance', '1e-5', '--file', path.join(folder, 'texts'), '--json');
  assert.is(far.status, 1, far.stderr);
  assert.is((JSON.parse(far.stdout) as { firstDeparture: string }).firstDeparture, 'layer 1');
  const wrong = run('--reference', file, '--file', jsonl, '--input-format', 'text');
  assert.is(wrong.status, 1);
  assert.match(wrong.stderr, 'REFERENCE');
});

t.run();
