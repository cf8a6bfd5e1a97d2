import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { selfTestText, selfTestVector } from '../../src/cli/self-test.js';
import { loadEmbedder, loadTokenizer, quantizeVectors, systemInfo } from '../../src/index.js';
import { skip } from '../support/skip.js';

const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const model = golden('sentence/normalize');
const folder = mkdtempSync(path.join(tmpdir(), 'bertha-cli-'));
const inFolder = (name: string) => path.join(folder, name);

interface Result {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function start(args: readonly string[], environment: Record<string, string> = {}) {
  return spawn(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1', ...environment } });
}

function bertha(args: readonly string[], input: string | Uint8Array = '', environment: Record<string, string> = {}): Promise<Result> {
  const child = start(args, environment);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr })));
}

/** Runs a command that must succeed and returns its output. */
async function output(args: readonly string[], input?: string | Uint8Array): Promise<string> {
  const { code, stdout, stderr } = await bertha(args, input);
  assert.equal([code, stderr], [0, '']);
  return stdout.toString();
}

interface Line {
  readonly index: number;
  readonly text: string;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly embedding: number[];
}

const parse = <T>(lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const embed = suite('cli embed');
embed.after(() => rmSync(folder, { recursive: true, force: true }));

embed('prints tokens, cut, first numbers and the similarity matrix', async () => {
  const printed = await output(['embed', '--model', model, 'hello', 'hello guitar', 'hello '.repeat(300)]);
  const rows = printed.split('\n');
  assert.match(rows[0]!, /# +text +tokens +cut +vector of \d+ numbers/);
  assert.match(rows[1]!, /^ +0 +hello +3 +no +-?\d\.\d{4} /);
  assert.match(rows[3]!, /^ +2 +hello hello .*… +\d+ +yes /);
  assert.match(printed, '\nCosine similarity\n');
  assert.match(rows.at(-4)!, /^ +0 +1\.0000 +-?0\.\d{4} +-?0\.\d{4}/);
});

embed('takes the bundled model when none is named', async () => {
  const [line] = parse<Line>(await output(['embed', '--format', 'jsonl', selfTestText]));
  selfTestVector().forEach((value, i) => assert.ok(Math.abs(value - line!.embedding[i]!) <= 1e-5));
});

embed('writes a line of JSON for each line of input, exact to the bit', async () => {
  const lines = parse<Line>(await output(['embed', '--model', model, '--format', 'jsonl', '-'], 'hello\r\n\n"quoted" 🚀\nlast'));
  assert.equal(
    lines.map(({ index, text }) => [index, text]),
    [
      [0, 'hello'],
      [1, ''],
      [2, '"quoted" 🚀'],
      [3, 'last'],
    ],
  );
  assert.equal(Object.keys(lines[0]!), ['index', 'text', 'tokens', 'truncated', 'embedding']);
  const embedder = await loadEmbedder(model);
  lines.forEach(({ text, embedding, tokens }) => {
    const expected = embedder.embedSync(text);
    assert.equal(Float32Array.from(embedding), expected.vector);
    assert.is(tokens, expected.tokens);
  });
  embedder.dispose();
});

embed('reads a file, and writes npy and safetensors with the same rows', async () => {
  const texts = Array.from({ length: 1500 }, (_, i) => `hello ${i}`);
  writeFileSync(inFolder('lines.txt'), `${texts.join('\n')}\n`);
  const common = ['embed', '--model', model, '--file', inFolder('lines.txt')];
  assert.is(await output([...common, '--format', 'npy', '--output', inFolder('a.npy')]), '');
  await output([...common, '--format', 'safetensors', '--output', inFolder('a.safetensors')]);
  const { stdout: piped } = await bertha([...common, '--format', 'npy']);
  const npy = readFileSync(inFolder('a.npy'));
  assert.equal(piped, npy);
  assert.is(npy.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
  const header = npy.subarray(10, 10 + npy.readUInt16LE(8)).toString();
  const file = await SafetensorsFile.open(inFolder('a.safetensors'));
  const { shape } = file.tensors.get('embeddings')!;
  assert.match(header, `'descr': '<f4', 'fortran_order': False, 'shape': (1500, ${shape[1]}), }`);
  const rows = await file.readFloat32('embeddings');
  await file.close();
  assert.equal(shape, [1500, rows.length / 1500]);
  assert.equal(Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength), npy.subarray(10 + header.length));
  const embedder = await loadEmbedder(model);
  assert.equal(rows.subarray(777 * shape[1]!, 778 * shape[1]!), embedder.embedSync(texts[777]!).vector);
  embedder.dispose();
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

embed('writes quantised vectors as the library makes them, in every format but the table', async () => {
  const texts = Array.from({ length: 300 }, (_, i) => `hello ${i}`);
  writeFileSync(inFolder('quantised.txt'), `${texts.join('\n')}\n`);
  const embedder = await loadEmbedder(model);
  const vectors = await embedder.embed(texts);
  embedder.dispose();
  for (const format of ['int8', 'binary'] as const) {
    const expected = quantizeVectors(vectors, format);
    const bytes = Buffer.from(expected.codes.buffer);
    const common = ['embed', '--model', model, '--file', inFolder('quantised.txt'), '--quantize', format];
    const lines = (await output([...common, '--format', 'jsonl'])).trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { codes: number[]; scale?: number; embedding?: unknown });
    assert.equal(
      rows.flatMap(({ codes }) => codes),
      Array.from(expected.codes),
    );
    assert.ok(rows.every(({ embedding }) => embedding === undefined));
    if (expected.format === 'int8')
      assert.equal(
        Float32Array.from(rows, ({ scale }) => scale!),
        expected.scales,
      );
    const { stdout: npy } = await bertha([...common, '--format', 'npy']);
    assert.match(npy.subarray(0, 256).toString('latin1'), `'descr': '${format === 'int8' ? '|i1' : '|u1'}'`);
    assert.equal(npy.subarray(256), bytes);
    await output([...common, '--format', 'safetensors', '--output', inFolder('quantised.safetensors')]);
    const file = await SafetensorsFile.open(inFolder('quantised.safetensors'));
    assert.equal(file.tensors.get('codes')!.shape, [300, bytes.length / 300]);
    assert.equal(Buffer.from(await file.read('codes')), bytes);
    if (expected.format === 'int8') assert.equal(await file.readFloat32('scales'), expected.scales);
    else assert.is(file.tensors.size, 1);
    await file.close();
    assert.is((await bertha(common)).code, 2);
  }
  assert.is((await bertha(['embed', 'a', '--model', model, '--quantize', 'int4', '--format', 'jsonl'])).code, 2);
});

for (const command of [['embed'], ['similarity', 'hi']]) {
  embed(`${command[0]} keeps packed weights where it is told to`, async () => {
    const cache = inFolder(`weights-${command[0]}`);
    const run = (): Promise<string> => output([...command, 'hello', '--model', model, '--format', 'jsonl', '--weight-cache', cache]);
    const first = await run();
    assert.is(readdirSync(cache).length, 1);
    assert.is(await run(), first);
  });
}

embed('writes valid files for no lines at all', async () => {
  await output(['embed', '--model', model, '-', '--format', 'safetensors', '--output', inFolder('none.safetensors')], '');
  const file = await SafetensorsFile.open(inFolder('none.safetensors'));
  assert.is(file.tensors.get('embeddings')!.shape[0], 0);
  await file.close();
  assert.is(await output(['embed', '--model', model, '-', '--format', 'jsonl'], ''), '');
});

embed('honours prompts, normalization, dimensions and length', async () => {
  const line = async (...flags: string[]) => parse<Line>(await output(['embed', '--format', 'jsonl', 'hello guitar', ...flags]))[0]!;
  const prompts = golden('sentence/prompts');
  const named = await line('--model', prompts, '--prompt-name', 'passage');
  assert.equal((await line('--model', prompts, '--prompt', 'passage: ')).embedding, named.embedding);
  const pooled = await line('--model', model, '--no-normalize', '--dimensions', '3');
  assert.is(pooled.embedding.length, 3);
  assert.ok(Math.abs(Math.hypot(...(await line('--model', golden('sentence/pooling-mean'), '--normalize')).embedding) - 1) < 1e-6);
  assert.equal(
    [(await line('--model', model, '--max-length', '3')).tokens, (await line('--model', model, '--max-length', '3')).truncated],
    [3, true],
  );
});

embed('hands results on while the input is still open', async () => {
  const child = start(['embed', '--model', model, '--format', 'jsonl', '-']);
  const first = new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  child.stdin.write('hello\n');
  assert.is(parse<Line>(await first)[0]!.text, 'hello');
  child.stdin.end('world\n');
  assert.is(await new Promise((resolve) => child.on('close', resolve)), 0);
});

embed('takes a broken pipe for the end, not for an error', async () => {
  const child = start(['embed', '--model', model, '--format', 'jsonl', '-']);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.write('hello\n'.repeat(100_000));
  child.stdout.once('data', () => child.stdout.destroy());
  assert.is(await new Promise((resolve) => child.on('close', resolve)), 0);
  assert.is(stderr, '');
});

embed('fails with IO on a full disk and leaves no half file', async () => {
  if (!existsSync('/dev/full')) return skip('no /dev/full');
  symlinkSync('/dev/full', inFolder('full'));
  for (const format of ['jsonl', 'npy', 'table']) {
    const { code, stderr } = await bertha(
      ['embed', '--model', model, '--format', format, '--output', inFolder('full'), '-'],
      'hello\n'.repeat(1000),
    );
    assert.is(code, 1);
    assert.match(stderr, /error IO: .*ENOSPC/);
  }
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

embed('keeps the old file when it fails, and a failed one leaves no new one', async () => {
  writeFileSync(inFolder('old.jsonl'), 'old');
  const bad = await bertha([
    'embed',
    '--model',
    model,
    '--prompt-name',
    'nope',
    '--format',
    'jsonl',
    '--output',
    inFolder('old.jsonl'),
    'a',
  ]);
  assert.is(bad.code, 2);
  assert.is(readFileSync(inFolder('old.jsonl'), 'utf8'), 'old');
  const { code } = await bertha(['embed', '--model', model, '--output', inFolder('missing/new.jsonl'), 'a']);
  assert.is(code, 1);
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

for (const [signal, expected] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  embed(`removes what it has begun on ${signal}`, async () => {
    const child = start(['embed', '--model', model, '--format', 'jsonl', '--output', inFolder('interrupted.jsonl'), '-']);
    child.stdin.on('error', () => undefined);
    child.stdin.write('hello\n');
    while (!readdirSync(folder).some((name) => name.endsWith('.tmp'))) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    assert.is(await new Promise((resolve) => child.on('close', resolve)), expected);
    assert.equal(
      readdirSync(folder).filter((name) => name.startsWith('interrupted')),
      [],
    );
  });
}

embed.run();

const usage = suite('cli usage');

for (const [name, args] of Object.entries({
  'no text': ['embed'],
  'texts and --file': ['embed', 'a', '--file', 'b'],
  'an unknown flag': ['embed', '--frmat', 'jsonl', 'a'],
  'an unknown command': ['embedd', 'a'],
  'an unknown precision': ['embed', '--precision', 'fp12', 'a'],
  'a flag of another command': ['chunk', '--precision', 'fp32', 'a'],
  'an unknown format': ['embed', '--format', 'csv', 'a'],
  'threads that are no number': ['embed', '--threads', 'two', 'a'],
  'zero threads': ['embed', '--threads', '0', 'a'],
  'a fraction of a thread': ['embed', '--threads', '1.5', 'a'],
  'too many threads': ['embed', '--threads', '100000', 'a'],
  'an unknown prompt': ['embed', '--model', model, '--prompt-name', 'x', 'a'],
  'no command': [],
})) {
  usage(`${name}: exit code 2 and a hint on standard error`, async () => {
    const { code, stdout, stderr } = await bertha(args);
    assert.equal([code, stdout.length], [2, 0], stderr);
    assert.ok(stderr.length > 10);
  });
}

for (const [name, args, expected] of [
  ['a model that does not exist', ['embed', '--model', 'does/not/exist', 'a'], 'MODEL_NOT_FOUND'],
  ['a file that does not exist', ['embed', '--model', model, '--file', 'does/not/exist'], 'IO'],
  ['a directory for a file', ['embed', '--model', model, '--file', folder], 'IO'],
  ['a precision that cannot be had', ['embed', '--model', model, '--precision', 'fp16', 'a'], 'PRECISION'],
  ['a device that cannot be had', ['embed', '--model', model, '--device', 'cuda:99', 'a'], 'DEVICE'],
  ['a length that no text fits', ['embed', '--model', model, '--max-length', '1', 'a'], 'MAX_LENGTH'],
] as const) {
  usage(`${name}: exit code 1 and the error's code`, async () => {
    const { code, stdout, stderr } = await bertha(args);
    assert.equal([code, stdout.length], [1, 0], stderr);
    assert.match(stderr, `error ${expected}: `);
    assert.is(stderr.trimEnd().split('\n').length, 1);
  });
}

usage('--device cuda without one says what is missing', async () => {
  const { problem } = systemInfo().cuda;
  const { code, stderr } = await bertha(['embed', '--model', model, '--device', 'cuda', 'a']);
  if (problem === '') return assert.is(code, 0, stderr);
  assert.equal([code, stderr], [1, `error DEVICE: device cuda:0 cannot be used: ${problem}\n`]);
});

for (const [name, value, expected] of [
  ['BERTHA_ISA', 'mmx', 'ISA'],
  ['BERTHA_THREADS', '0', 'INVALID_ARG'],
] as const) {
  usage(`${name} that cannot be had: exit code 1, the error's code, no stack trace`, async () => {
    for (const command of [['similarity', 'a', 'b'], ['bench']]) {
      const { code, stderr } = await bertha(command, '', { [name]: value });
      assert.is(code, 1);
      assert.match(stderr, `error ${expected}: ${name}=${value}`);
      assert.is(stderr.trimEnd().split('\n').length, 1);
    }
  });
}

usage('--version and --help are no errors', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  assert.is(await output(['--version']), `${version}\n`);
  assert.match(await output(['--help']), 'Examples:');
  assert.match(await output(['embed', '--help']), '--format');
});

usage.run();

const others = suite('cli tokenize, inspect, doctor');

others('tokenize shows ids, tokens and offsets', async () => {
  const printed = await output(['tokenize', '--model', model, 'Hello guitar']);
  assert.match(printed, 'text 0: 4 tokens');
  assert.match(printed, /101 +\[CLS\]/);
  assert.match(printed, /hello +0–5 +Hello/);
});

others('tokenize writes what the tokenizer gives as JSON lines', async () => {
  const texts = ['Hello guitar 🚀 hello', ''];
  const lines = parse<{ index: number; text: string; ids: number[]; tokens: string[]; offsets: number[][] }>(
    await output(['tokenize', '--model', model, '--format', 'jsonl', '-'], `${texts.join('\n')}\n\n`),
  ).slice(0, 2);
  const tokenizer = await loadTokenizer(model);
  lines.forEach((line, index) => {
    const { ids, tokens, offsets } = tokenizer.encode(texts[index]!, { offsets: true });
    assert.equal(line, {
      index,
      text: texts[index],
      ids: [...ids],
      tokens: [...tokens],
      offsets: line.offsets,
      truncated: false,
    } as object);
    assert.equal(line.offsets.flat(), [...offsets!]);
  });
  const bare = parse<{ tokens: string[]; truncated: boolean }>(
    await output(['tokenize', '--model', model, '--format', 'jsonl', '--no-special-tokens', '--max-length', '1', 'hello guitar']),
  );
  assert.equal([bare[0]!.tokens, bare[0]!.truncated], [['hello'], true]);
});

others('inspect says what is inside and that it loads', async () => {
  const printed = await output(['inspect', model]);
  assert.match(printed, /loadable +yes/);
  assert.match(printed, /sentences +pool by mean, then normalize/);
  const json = JSON.parse(await output(['inspect', '--json'])) as {
    loadable: boolean;
    parameters: number;
    tensors: { name: string }[];
    maxLength: number;
  };
  assert.equal([json.loadable, json.parameters, json.tensors.length, json.maxLength], [true, 22_713_728, 104, 256]);
});

others('inspect says why a directory cannot be loaded, with exit code 1', async () => {
  const { code, stdout } = await bertha(['inspect', golden('tiny')]);
  assert.is(code, 1);
  assert.match(stdout.toString(), /loadable +no/);
  assert.match(stdout.toString(), /problems +CONFIG /);
  const missing = await bertha(['inspect', '--json', 'does/not/exist']);
  assert.is(missing.code, 1);
  assert.is((JSON.parse(missing.stdout.toString()) as { problems: { code: string }[] }).problems[0]!.code, 'MODEL_NOT_FOUND');
});

others('doctor finds this installation well and says why', async () => {
  const printed = await output(['doctor']);
  for (const name of ['addon', 'instructions', 'threads', 'cuda', 'device', 'weight cache', 'self-test', 'service', 'lanes', 'memory'])
    assert.match(printed, new RegExp(`^ok +${name} `, 'm'));
  const json = JSON.parse(await output(['doctor', '--json'])) as {
    ok: boolean;
    isa: unknown;
    addon: { builder: string };
    instructions: { chosen: string };
    'self-test': { difference: number };
    service: { loopDelayMs: number; tokensPerSecond: number };
    memory: { weights: number };
  };
  assert.is(json.ok, true);
  assert.ok(['node-gyp', 'cmake-js', process.env['BERTHA_SANITIZER']].includes(json.addon.builder));
  assert.ok(json['self-test'].difference <= 1e-5);
  assert.ok(json.service.loopDelayMs > 0 && json.service.tokensPerSecond > 0 && json.memory.weights > 80e6);
});

others('doctor tells that the addon is missing, with exit code 1', async () => {
  const { code, stdout } = await bertha(['doctor', '--json'], '', { BERTHA_ADDON: inFolder('no-addon.node') });
  assert.is(code, 1);
  const json = JSON.parse(stdout.toString()) as { ok: boolean; addon: { ok: boolean; code: string } };
  assert.equal([json.ok, json.addon.ok, json.addon.code], [false, false, 'ADDON_LOAD']);
});

others.run();
