import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { DTYPES, dtypeBits, SafetensorsFile, writeSafetensors, type TensorToWrite } from '../../src/checkpoint/safetensors/safetensors.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { skip } from '../support/skip.js';

const t = suite('safetensors file');

async function withFile<T>(file: string, use: (opened: SafetensorsFile) => Promise<T>): Promise<T> {
  const opened = await SafetensorsFile.open(file);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

function bytesOf(values: Float32Array | Float64Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Writes one tensor, reads it back as float32 and returns the bits. */
async function widened(dtype: 'F16' | 'BF16' | 'F64', bytes: Uint8Array): Promise<Uint32Array> {
  const file = path.join(temporaryFolder(), 'w.safetensors');
  await writeSafetensors(file, [{ name: 'w', dtype, shape: [(bytes.byteLength * 8) / dtypeBits(dtype)], bytes }]);
  const values = await withFile(file, (opened) => opened.readFloat32('w'));
  return new Uint32Array(values.buffer);
}

const ALL_16_BITS = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);

t('widens all 65,536 float16 values exactly', async () => {
  const actual = await widened('F16', bytesOf(ALL_16_BITS));
  const asFloat = new Float32Array(actual.buffer);
  for (let bits = 0; bits < 1 << 16; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31 && fraction !== 0) {
      assert.is(actual[bits], (((bits & 0x8000) << 16) | 0x7f800000 | (fraction << 13)) >>> 0);
    } else {
      const magnitude = exponent === 31 ? Infinity : exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      if (!Object.is(asFloat[bits], sign * magnitude))
        assert.unreachable(`0x${bits.toString(16)}: ${asFloat[bits]}, not ${sign * magnitude}`);
    }
  }
});

t('widens all 65,536 bfloat16 values exactly', async () => {
  const actual = await widened('BF16', bytesOf(ALL_16_BITS));
  assert.ok(actual.every((bits, i) => bits === (i << 16) >>> 0));
});

t('rounds float64 to the nearest float32, ties to even', async () => {
  const values = Float64Array.of(
    1 + 2 ** -24,
    1 + 3 * 2 ** -24,
    1 + 2 ** -24 + 2 ** -50,
    2 ** -149,
    2 ** -150,
    1e39,
    -0,
    Math.PI,
    NaN,
    -Infinity,
  );
  const bits = await widened('F64', bytesOf(values));
  assert.equal(
    [...new Float32Array(bits.buffer)],
    [1, 1 + 2 ** -22, 1 + 2 ** -23, 2 ** -149, 0, Infinity, -0, Math.fround(Math.PI), NaN, -Infinity],
  );
});

t('converts tensors larger than one piece', async () => {
  const values = Float64Array.from({ length: 300_001 }, (_, i) => i / 7);
  const bits = await widened('F64', bytesOf(values));
  assert.ok(new Float32Array(bits.buffer).every((value, i) => value === Math.fround(i / 7)));
});

t('reads the same weights from F32 whole, F32 in shards and F64 files', async () => {
  const name = 'encoder.layer.0.attention.output.dense.weight';
  const whole = await withFile(golden('tiny/bert-f64/model.safetensors'), (file) => file.readFloat32(name));
  const shard = await withFile(golden('tiny/bert-sharded/model-00003-of-00003.safetensors'), (file) => file.readFloat32(name));
  const half = await withFile(golden('tiny/bert-f16/model.safetensors'), (file) => file.readFloat32(name));
  assert.is(whole.length, shard.length);
  assert.ok(whole.every((value, i) => Math.abs(value - shard[i]!) <= 2 ** -24 * Math.abs(value)));
  assert.ok(half.every((value, i) => Math.abs(value - shard[i]!) <= 2 ** -11 * Math.abs(value) + 2 ** -25));
});

t('reads tensors that are not aligned to their elements', async () => {
  await withFile(golden('safetensors/064'), async (file) => {
    const [tensor] = file.tensors.values();
    assert.ok(tensor!.byteOffset % 4 !== 0);
    const bytes = await file.read(tensor!.name);
    assert.equal([...bytes], [...readFileSync(file.path).subarray(tensor!.byteOffset)]);
    assert.equal([...(await file.readFloat32(tensor!.name))], [...new Float32Array(bytes.buffer)]);
  });
});

t('hands out offsets at which a plain read finds the same bytes', async () => {
  await withFile(golden('numerics/linear.safetensors'), async (file) => {
    const all = readFileSync(file.path);
    for (const { name, byteOffset, byteLength } of file.tensors.values()) {
      assert.ok(Buffer.from(await file.read(name)).equals(all.subarray(byteOffset, byteOffset + byteLength)), name);
    }
  });
});

t('refuses to convert types that are not weights and tensors it does not have', async () => {
  const file = path.join(temporaryFolder(), 'i.safetensors');
  await writeSafetensors(file, [{ name: 'ids', dtype: 'I64', shape: [1], bytes: new Uint8Array(8) }]);
  await withFile(file, async (opened) => {
    assert.is((await rejection(() => opened.readFloat32('ids'))).code, 'DTYPE_UNSUPPORTED');
    assert.is((await rejection(() => opened.readFloat32('constructor'))).code, 'MODEL_MISMATCH');
    assert.is((await opened.read('ids')).byteLength, 8);
  });
});

// ---------------------------------------------------------------------------------------------------------------- what can go wrong

t('rejects what is not a regular file without waiting', async () => {
  const folder = temporaryFolder();
  const fifo = path.join(folder, 'fifo');
  const socket = path.join(folder, 'socket');
  const loop = path.join(folder, 'loop');
  symlinkSync(loop, loop);
  execFileSync('mkfifo', [fifo]);
  const server = createServer().listen(socket);
  try {
    const missing = [path.join(folder, 'missing'), path.join(folder, 'fifo', 'x'), loop, `${folder}/nul\0`];
    for (const file of [folder, fifo, socket, '/dev/zero', '/dev/null', ...missing]) {
      const error = await rejection(() => SafetensorsFile.open(file));
      assert.is(error.code, 'IO', file);
    }
  } finally {
    server.close();
  }
});

t('rejects a file it may not read', async () => {
  if (process.getuid?.() === 0) return skip('a user other than root, whom permissions stop');
  const file = path.join(temporaryFolder(), 'secret.safetensors');
  writeFileSync(file, '', { mode: 0 });
  const error = await rejection(() => SafetensorsFile.open(file));
  assert.is(error.code, 'IO');
});

t('names the file in errors about its contents', async () => {
  const error = await rejection(() => SafetensorsFile.open(golden('safetensors/015')));
  assert.is(error.code, 'HEADER_JSON');
  assert.match(error.message, /golden\/safetensors\/015"/);
});

t('shows a long path whole', async () => {
  const file = path.join(temporaryFolder(), 'x'.repeat(200), 'model.safetensors');
  const error = await rejection(() => SafetensorsFile.open(file));
  assert.ok(error.message.includes(JSON.stringify(file)), error.message);
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

t('closes the file when its header is bad', async () => {
  if (process.platform !== 'linux') return skip('/proc');
  const before = openDescriptors();
  for (let i = 0; i < 73; i++) {
    const file = await SafetensorsFile.open(golden('safetensors', String(i).padStart(3, '0'))).catch((error: unknown) => {
      assert.instance(error, BerthaError);
    });
    await file?.close();
  }
  assert.is(openDescriptors(), before);
});

async function copyOfModel(): Promise<string> {
  const file = path.join(temporaryFolder(), 'model.safetensors');
  writeFileSync(file, readFileSync(golden('tiny/bert-base-noprefix/model.safetensors')));
  return file;
}

t('reports a file that is cut while it is open', async () => {
  const copy = await copyOfModel();
  await withFile(copy, async (file) => {
    const last = [...file.tensors.values()].sort((a, b) => a.byteOffset - b.byteOffset).at(-1)!;
    await file.verifyUnchanged();
    truncateSync(copy, last.byteOffset + 4);
    for (const action of [() => file.read(last.name), () => file.readFloat32(last.name), () => file.verifyUnchanged()]) {
      assert.is((await rejection(action)).code, 'IO');
    }
  });
});

t('reports a file that grows or is rewritten while it is open', async () => {
  const copy = await copyOfModel();
  await withFile(copy, async (file) => {
    appendFileSync(copy, 'x');
    assert.is((await rejection(() => file.verifyUnchanged())).code, 'IO');
  });
  const other = await copyOfModel();
  await withFile(other, async (file) => {
    utimesSync(other, 1, 2);
    assert.is((await rejection(() => file.verifyUnchanged())).code, 'IO');
  });
});

t('keeps reading the file it opened when another takes its name', async () => {
  const copy = await copyOfModel();
  await withFile(copy, async (file) => {
    const before = await file.read('embeddings.LayerNorm.weight');
    renameSync(await copyOfModel(), copy);
    await file.verifyUnchanged();
    assert.equal(await file.read('embeddings.LayerNorm.weight'), before);
  });
});

t('is unusable after close, which may be called twice', async () => {
  const file = await SafetensorsFile.open(golden('tiny/bert-base-noprefix/model.safetensors'));
  assert.ok(file.fd > 2);
  await Promise.all([file.close(), file.close()]);
  assert.throws(
    () => file.fd,
    (error: unknown) => error instanceof BerthaError && error.code === 'DISPOSED',
  );
  assert.is((await rejection(() => file.read('pooler.dense.bias'))).code, 'DISPOSED');
  assert.is((await rejection(() => file.verifyUnchanged())).code, 'DISPOSED');
});

t('opens a 6 GB file without reading it and finds what lies behind 4 GB', async () => {
  const file = path.join(temporaryFolder(), 'sparse.safetensors');
  const big = 6 * 2 ** 30;
  const json = `{"big":{"dtype":"U8","shape":[${big}],"data_offsets":[0,${big}]},"end":{"dtype":"F32","shape":[1],"data_offsets":[${big},${big + 4}]}}`;
  const fd = openSync(file, 'w');
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  writeSync(fd, head);
  writeSync(fd, json);
  writeSync(fd, bytesOf(Float32Array.of(1.5)), 0, 4, 8 + json.length + big);
  ftruncateSync(fd, 8 + json.length + big + 4);
  closeSync(fd);
  const before = process.memoryUsage().rss;
  await withFile(file, async (opened) => {
    assert.equal([...(await opened.readFloat32('end'))], [1.5]);
    assert.ok(process.memoryUsage().rss - before < 64 << 20);
  });
});

// ---------------------------------------------------------------------------------------------------------------------- writing

t('writes a float32 file byte for byte as the reference does', async () => {
  const source = golden('tiny/bert-base-noprefix/expected.safetensors');
  const copy = path.join(temporaryFolder(), 'copy.safetensors');
  await withFile(source, async (file) => {
    const tensors: TensorToWrite[] = [];
    for (const { name, dtype, shape } of file.tensors.values()) tensors.push({ name, dtype, shape, bytes: await file.read(name) });
    await writeSafetensors(copy, tensors.reverse(), file.metadata);
  });
  assert.ok(readFileSync(copy).equals(readFileSync(source)));
});

t('reads back every element type, name and metadata it writes, aligned', async () => {
  const file = path.join(temporaryFolder(), 'all.safetensors');
  const tensors = DTYPES.map((dtype, i) => ({
    name: `${dtype} "\\\n日本😀`,
    dtype,
    shape: [2, 4],
    bytes: new Uint8Array(dtypeBits(dtype)).fill(i),
  }));
  const edge: readonly TensorToWrite[] = [
    { name: '__proto__', dtype: 'F32', shape: [], bytes: bytesOf(Float32Array.of(2.5)) },
    { name: '', dtype: 'F64', shape: [0, 7], bytes: new Uint8Array(0) },
  ];
  const metadata = new Map([
    ['format', 'pt'],
    ['__proto__', 'ü"\0'],
  ]);
  await writeSafetensors(file, [...tensors, ...edge], metadata);
  await withFile(file, async (opened) => {
    assert.equal([...opened.metadata], [...metadata]);
    assert.is(opened.tensors.size, tensors.length + 2);
    for (const { name, dtype, shape, bytes } of [...tensors, ...edge]) {
      const info = opened.tensors.get(name)!;
      assert.equal([info.dtype, info.shape], [dtype, shape]);
      assert.is((info.byteOffset * 8) % Math.max(8, dtypeBits(dtype)), 0, name);
      assert.equal(await opened.read(name), bytes);
    }
    assert.equal([...(await opened.readFloat32('__proto__'))], [2.5]);
  });
});

t('rejects tensors it could not read back', async () => {
  const file = path.join(temporaryFolder(), 'bad.safetensors');
  const good: TensorToWrite = { name: 'a', dtype: 'F32', shape: [1], bytes: new Uint8Array(4) };
  const write = async (...tensors: readonly TensorToWrite[]): Promise<string> =>
    (await rejection(() => writeSafetensors(file, tensors))).code;
  assert.is(await write(good, good), 'DUPLICATE_KEY');
  assert.is(await write({ ...good, name: '__metadata__' }), 'DUPLICATE_KEY');
  assert.is(await write({ ...good, name: '\ud800' }), 'NAME');
  assert.is(await write({ ...good, shape: [2] }), 'TENSOR_INFO');
  assert.is(await write({ ...good, shape: [-1, -1] }), 'TENSOR_INFO');
  assert.is(await write({ ...good, shape: [0.5, 2] }), 'TENSOR_INFO');
  assert.is((await rejection(() => writeSafetensors(file, [good], new Map([['a', '\udc00']])))).code, 'NAME');
  assert.equal(readdirSync(path.dirname(file)), []);
});

t('replaces the file it is reading from', async () => {
  const file = path.join(temporaryFolder(), 'self.safetensors');
  const tensor = (value: number): TensorToWrite => ({ name: 'a', dtype: 'F32', shape: [1], bytes: bytesOf(Float32Array.of(value)) });
  await writeSafetensors(file, [tensor(1)]);
  const link = `${file}.link`;
  symlinkSync(file, link);
  await withFile(file, async (old) => {
    await writeSafetensors(link, [tensor(2)]);
    assert.equal([...(await old.readFloat32('a'))], [1]);
  });
  assert.equal([...(await withFile(file, (renewed) => renewed.readFloat32('a')))], [2]);
  assert.equal(readdirSync(path.dirname(file)).sort(), ['self.safetensors', 'self.safetensors.link']);
});

t('never replaces a device, a FIFO or a folder', async () => {
  const folder = temporaryFolder();
  const fifo = path.join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const target of [folder, fifo, '/dev/null', path.join(folder, 'missing', 'x')]) {
    const error = await rejection(() => writeSafetensors(target, []));
    assert.is(error.code, 'IO', target);
  }
  assert.equal(readdirSync(folder), ['fifo']);
});

t('leaves the old file and nothing else behind when there is no room', async () => {
  if (process.platform === 'win32') return skip('ulimit');
  const file = path.join(temporaryFolder(), 'full.safetensors');
  writeFileSync(file, 'old');
  const script = `
    import { writeSafetensors } from './src/checkpoint/safetensors/safetensors.ts';
    try {
      await writeSafetensors(${JSON.stringify(file)}, [{ name: 'a', dtype: 'U8', shape: [1 << 20], bytes: new Uint8Array(1 << 20) }]);
    } catch (error) { process.stdout.write(error.code + ' ' + error.cause.code); }`;
  // 100 blocks of 512 or 1024 bytes; Node ignores SIGXFSZ, so that write() fails with EFBIG as it would with ENOSPC.
  const child = spawnSync(
    'sh',
    ['-c', 'ulimit -f 100; exec "$0" "$@"', process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script],
    {
      cwd: path.join(golden(), '../..'),
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
      encoding: 'utf8',
    },
  );
  assert.is(child.stdout, 'IO EFBIG', child.stderr);
  assert.is(readFileSync(file, 'utf8'), 'old');
  assert.equal(readdirSync(path.dirname(file)), ['full.safetensors']);
});

t.run();
