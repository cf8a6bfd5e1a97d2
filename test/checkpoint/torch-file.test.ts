import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { SafetensorsFile, type Dtype } from '../../src/checkpoint/safetensors/safetensors.js';
import { openTorchFile } from '../../src/checkpoint/torch/torch-file.js';
import { weightsHash } from '../../src/checkpoint/weights/weights-hash.js';
import { inspectModel, loadEmbedder, loadModel } from '../../src/index.js';
import { golden, rejection, rejectsModel, sentenceCopy, temporaryFolder, tinyCopy, withModel } from '../support/checkpoint-files.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import {
  pickle,
  readAsTorch,
  tensorCall,
  torchArchive,
  torchStream,
  zip,
  type TorchTensor,
  type ZipFaults,
} from '../support/torch-writer.js';

const t = suite('torch file');
const files = fileURLToPath(new URL('../golden-generation/files/', import.meta.url));
const folder = temporaryFolder();

/** Opening `bytes` must fail with this code and a message like `text`, and leave nothing behind. */
async function refuses(code: string, bytes: Buffer, text = /./): Promise<void> {
  const file = path.join(folder, 'refused.bin');
  writeFileSync(file, bytes);
  const left = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('bertha-tensors-')).length;
  const before = left();
  const error = await rejection(() => openTorchFile(file));
  assert.is(error.code, code, error.message);
  assert.match(error.message, text);
  assert.is(left(), before, 'temporary files');
}

function floats(count: number, seed = 1): Buffer {
  const values = new Random(seed).floats(count);
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function tensor(name: string, shape: readonly number[], more: Partial<TorchTensor> = {}): TorchTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return { name, key: name, type: 'FloatStorage', bytes: floats(count), count, shape, ...more };
}

// -------------------------------------------------------------------------------------------------------------- files of torch itself

for (const [name, count] of [
  ['zip.bin', 24],
  ['legacy.bin', 24],
  ['parameters.bin', 3],
] as const) {
  t(`reads ${name} of torch: half, bfloat16 and integers, shared, transposed and cut out`, async () => {
    const expected = await SafetensorsFile.open(`${files}expected.safetensors`);
    const { tensors, files: opened } = await openTorchFile(files + name);
    assert.is(tensors.size, count);
    for (const [key, { dtype, shape, file }] of tensors) {
      const stored = expected.tensors.get(key)!;
      assert.equal([dtype, shape], [stored.dtype, stored.shape], key);
      assert.equal(Buffer.from(await file.read(key)), Buffer.from(await expected.read(key)), key);
    }
    for (const file of [...opened, expected]) await file.close();
  });
}

for (const [what, name] of [
  ['posix.system', 'hostile-system'],
  ['__builtin__.eval', 'hostile-eval'],
  ['__builtin__.getattr', 'hostile-getattr'],
] as const) {
  t(`refuses files that call ${what}, and names it`, async () => {
    for (const file of [`${name}.bin`, `${name}-legacy.bin`]) {
      await refuses('UNSAFE_FORMAT', readFileSync(files + file), new RegExp(`"${what.replace('.', '\\.')}".*could run code.*torch\\.load`));
    }
  });
}

t('refuses a storage that is too short, and a file that is cut at any place', async () => {
  await refuses('WEIGHTS', readFileSync(`${files}short-storage.bin`), /184 F32.*final_logits_bias.*728/);
  for (const name of ['zip.bin', 'legacy.bin']) {
    const whole = readFileSync(files + name);
    for (const length of [4, 20, 200, 3000, whole.length >> 1, whole.length - 30, whole.length - 1]) {
      await refuses('WEIGHTS', whole.subarray(0, length));
    }
  }
  await refuses('UNSAFE_FORMAT', Buffer.alloc(0));
});

// ------------------------------------------------------------------------------------------------------------------- made files

t('lays transposed, cut, spread and repeated values out in order, of every width', async () => {
  for (const [type, dtype, bytes] of [
    ['ByteStorage', 'U8', 1],
    ['CharStorage', 'I8', 1],
    ['BoolStorage', 'BOOL', 1],
    ['HalfStorage', 'F16', 2],
    ['BFloat16Storage', 'BF16', 2],
    ['ShortStorage', 'I16', 2],
    ['FloatStorage', 'F32', 4],
    ['IntStorage', 'I32', 4],
    ['DoubleStorage', 'F64', 8],
    ['LongStorage', 'I64', 8],
  ] as const) {
    const storage = { key: '0', type, bytes: floats(210 * 2).subarray(0, 210 * bytes), count: 210 };
    const views: [string, readonly number[], readonly number[], number][] = [
      ['transposed', [7, 30], [1, 7], 0],
      ['permuted', [5, 7, 6], [1, 30, 5], 0],
      ['columns', [30, 3], [7, 1], 2],
      ['steps', [9], [4], 100],
      ['expanded', [3, 5], [0, 1], 11],
      ['one', [1, 5], [999, 1], 3],
      ['whole', [210], [1], 0],
      ['scalar', [], [], 209],
      ['none', [0, 4], [9, 9], 210],
    ];
    const tensors = views.map(([name, shape, strides, offset]) => ({ ...storage, name, shape, strides, offset }));
    const beside = tensor('beside', [1000]);
    for (const written of [torchArchive([...tensors, beside]), torchStream([...tensors, beside])]) {
      const file = path.join(folder, 'views.bin');
      writeFileSync(file, written);
      const opened = await openTorchFile(file);
      assert.equal([...opened.tensors.keys()], [...views.map(([name]) => name), 'beside']);
      assert.equal([...opened.files[1]!.tensors.keys()], ['transposed', 'permuted', 'columns', 'steps', 'expanded']);
      for (const { name, shape, strides, offset } of tensors) {
        const info = opened.tensors.get(name)!;
        assert.is(info.dtype, dtype satisfies Dtype);
        const places = indices(shape).map((index) => offset + index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0));
        const expected = Buffer.concat(places.map((at) => storage.bytes.subarray(at * bytes, (at + 1) * bytes)));
        assert.equal(Buffer.from(await info.file.read(name)), expected, `${type} ${name}`);
      }
      for (const each of opened.files) {
        await each.verifyUnchanged();
        await each.close();
      }
    }
  }
});

/** Every index of a shape, in C order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]]);
}

t('reads archives with sizes of 64 bits, and later protocols of pickle', async () => {
  const one = tensor('a', [2, 3]);
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x8c, value.length]), Buffer.from(value)]);
  const global = (module: string, name: string): Buffer => Buffer.concat([text(module), text(name), Buffer.from([0x93, 0x94])]);
  const head = Buffer.concat([Buffer.from([0x80, 4, 0x95]), Buffer.alloc(8)]);
  const call = tensorCall(one)
    .toString('latin1')
    .replace('ctorch._utils\n_rebuild_tensor_v2\n', () => global('torch._utils', '_rebuild_tensor_v2').toString('latin1'));
  const data = Buffer.concat([head, Buffer.from('}'), text('a'), Buffer.from(call, 'latin1'), Buffer.from('s.')]);
  for (const long of [false, true]) {
    const file = path.join(folder, 'long.bin');
    writeFileSync(
      file,
      zip(
        [
          ['m/data.pkl', data],
          ['m/data/a', one.bytes],
        ],
        { long },
      ),
    );
    const { tensors, files: opened } = await openTorchFile(file);
    assert.equal(Buffer.from(await tensors.get('a')!.file.read('a')), one.bytes);
    for (const each of opened) await each.close();
  }
});

t('refuses every other operation and name of a pickle', async () => {
  const inFile = (...operations: Buffer[]): Buffer => torchArchive([], pickle.whole(...operations));
  const letters = (text: string): Buffer => Buffer.from(text, 'latin1');
  for (const [what, operations] of [
    [/INST/, letters('(iposix\nsystem\n')],
    [/OBJ/, letters('(o')],
    [/NEWOBJ/, letters('))\x81')],
    [/EXT1/, letters('\x82\x01')],
    [/PERSID/, letters('Px\n')],
    [/0x2b/, letters('+')],
    [/"builtins\.exec"/, letters('cbuiltins\nexec\n')],
    [/"torch\.load"/, letters('ctorch\nload\n')],
    [/"torch\.storage\._load_from_bytes"/, letters('ctorch.storage\n_load_from_bytes\n')],
    [/BUILD/, letters(')}b')],
    [/no name/, letters('})R')],
    [/"torch\.FloatStorage"/, letters('ctorch\nFloatStorage\n)R')],
    [/no list/, letters(')Na')],
    [/no dictionary/, letters(')NNs')],
  ] as const) {
    await refuses('UNSAFE_FORMAT', inFile(operations), what);
    await refuses('UNSAFE_FORMAT', torchStream([], pickle.whole(operations)), what);
  }
  await refuses('UNSAFE_FORMAT', Buffer.from('cposix\nsystem\n(Vecho\ntR.'), /cposix/);
  await refuses('UNSAFE_FORMAT', pickle.whole(pickle.call(pickle.name('posix', 'system'), letters(')'))), /posix\.system/);
  await refuses('UNSAFE_FORMAT', pickle.whole(letters('}')), /a pickle of something else/);
  await refuses('UNSAFE_FORMAT', zip([['a/data.pkl', zip([['a/data.pkl', letters('N.')]])]]), /PERSID/);
  await refuses(
    'UNSAFE_FORMAT',
    zip([
      ['a/data.pkl', pickle.whole(letters('}'))],
      ['a/constants.pkl', letters('N.')],
    ]),
    /TorchScript/,
  );
});

t('refuses damaged pickles', async () => {
  const letters = (text: string): Buffer => Buffer.from(text, 'latin1');
  for (const operations of [
    '',
    'NN',
    '(',
    't',
    'h\x05',
    'q\x00',
    'j\xff\xff\xff\xff',
    'X\xff\xff\xff\xffa',
    'X\x01\0\0\0\xff',
    '}(Nu',
    '0',
    '\x80\x09',
  ]) {
    const error = torchArchive([], pickle.whole(letters(operations)));
    await refuses(operations === '0' ? 'UNSAFE_FORMAT' : 'WEIGHTS', error);
  }
  await refuses('WEIGHTS', torchArchive([], pickle.whole(letters('}'))), /an empty dictionary/);
  await refuses('WEIGHTS', torchArchive([], pickle.whole(letters(']'))), /a list/);
  await refuses(
    'WEIGHTS',
    torchArchive([], pickle.whole(pickle.dictionary([[pickle.text('epoch'), letters('K\x03')]]))),
    /other values: "epoch"/,
  );
  const bomb = Buffer.concat([letters('N'.repeat(1)), letters(')'.repeat(1 << 21))]);
  await refuses('WEIGHTS', torchArchive([], pickle.whole(bomb)), /lists/);
  await refuses('WEIGHTS', torchArchive([], pickle.whole(letters('N'.repeat((1 << 22) + 1)))), /operations/);
});

t('refuses tensors that do not lie in their storage, before anything is allocated', async () => {
  for (const [more, text] of [
    [{ shape: [3, 4], strides: [4, 2] }, /storage of 12 values/],
    [{ shape: [12], offset: 1 }, /from 1 on/],
    [{ shape: [2 ** 40], strides: [0] }, /at most the \d+ bytes of the file/],
    [{ shape: [2 ** 52, 2 ** 52], strides: [0, 0] }, /2\^53/],
    [{ shape: [2 ** 52], strides: [1] }, /./],
    [{ shape: [0], offset: 13 }, /./],
    [{ shape: new Array<number>(9).fill(1) }, /at most 8/],
    [{ shape: [3, 4], strides: [4] }, /2 and 1/],
    [{ shape: [3, -4] }, /tuple of sizes/],
    [{ count: 2 ** 50 }, /storage/],
    [{ count: 11 }, /./],
    [{ type: 'DoubleStorage' }, /./],
  ] as const) {
    const written = [tensor('a', [12], more)];
    const code = String(text).includes('2\\^53') ? 'OVERFLOW' : 'WEIGHTS';
    await refuses(code, torchArchive(written), text);
    await refuses(code, torchStream(written));
  }
  const twice = [tensor('a', [4]), tensor('a', [4], { key: 'b' })];
  await refuses('WEIGHTS', torchArchive(twice), /once/);
  await refuses('NAME', torchArchive([tensor('n'.repeat(1025), [1], { key: 'k' })]), /1024/);
  await refuses(
    'WEIGHTS',
    torchArchive([tensor('a', [4])], pickle.whole(pickle.dictionary([[Buffer.from('N'), tensorCall(tensor('a', [4]))]]))),
    /string/,
  );
  const missing = tensor('a', [4], { key: 'elsewhere' });
  await refuses(
    'WEIGHTS',
    torchArchive([tensor('a', [4])], pickle.whole(pickle.dictionary([[pickle.text('a'), tensorCall(missing)]]))),
    /"elsewhere"/,
  );
});

t('refuses archives that pack, encrypt, repeat or overlap', async () => {
  const one = tensor('a', [4]);
  const data = pickle.whole(pickle.dictionary([[pickle.text('a'), tensorCall(one)]]));
  const members = [
    ['m/data.pkl', data],
    ['m/data/a', one.bytes],
  ] as const;
  const faulty = (faults: ZipFaults): Buffer => zip(members, faults);
  await refuses('UNSAFE_FORMAT', faulty({ method: 8 }), /"m\/data\.pkl".*method 8/);
  await refuses('UNSAFE_FORMAT', faulty({ flags: 1 }), /encrypted/);
  await refuses('WEIGHTS', zip([...members, members[1]]), /once/);
  await refuses('WEIGHTS', zip([...members, ['n/data.pkl', data]]), /one data\.pkl/);
  await refuses('WEIGHTS', zip([members[1]]), /one data\.pkl/);
  await refuses('WEIGHTS', zip([...members, ['m/byteorder', Buffer.from('big')]]), /little-endian/);
  const sound = zip(members);
  const entryAt = sound.lastIndexOf('PK\x01\x02', undefined, 'latin1');
  const changed = (field: number, value: number): Buffer => {
    const bytes = Buffer.from(sound);
    bytes.writeUInt32LE(value, entryAt + field);
    return bytes;
  };
  await refuses('WEIGHTS', changed(42, 0), /./);
  await refuses('WEIGHTS', changed(42, 0xfffffff0), /directory/);
  await refuses('WEIGHTS', changed(24, 17), /one size/);
  await refuses('WEIGHTS', changed(20, 0xffffffff), /size and place/);
  const larger = changed(24, 4000);
  larger.writeUInt32LE(4000, entryAt + 20);
  await refuses('WEIGHTS', larger, /end before the directory/);
  await refuses('WEIGHTS', Buffer.concat([torchStream([one]), Buffer.alloc(1)]), /to end after its storages/);
});

// --------------------------------------------------------------------------------------------------------------------- model directories

t('computes the same from pytorch_model.bin as from model.safetensors: archives, streams, transposed matrices', async () => {
  const expected = await loadEmbedder(golden('sentence', 'dense'));
  const { vector } = await expected.embed('hello guitar');
  expected.dispose();
  for (const [write, transposes] of [
    [torchArchive, false],
    [torchArchive, true],
    [torchStream, true],
  ] as const) {
    const copy = sentenceCopy('dense');
    for (const each of ['', '2_Dense/']) {
      writeFileSync(`${copy}/${each}pytorch_model.bin`, write(await readAsTorch(`${copy}/${each}model.safetensors`, transposes)));
      rmSync(`${copy}/${each}model.safetensors`);
    }
    const embedder = await loadEmbedder(copy);
    assert.equal((await embedder.embed('hello guitar')).vector, vector);
    embedder.dispose();
    const inspection = await inspectModel(copy);
    assert.is(inspection.loadable, true);
    assert.ok(inspection.tensors!.every(({ file }) => file === 'pytorch_model.bin'));
  }
});

t('reads shards of pytorch_model.bin.index.json, and safetensors first', async () => {
  const copy = tinyCopy('bert-relu');
  const tensors = await readAsTorch(`${copy}/model.safetensors`, false);
  const shards = [tensors.slice(0, 30), tensors.slice(30)];
  const nameOf = (i: number): string => `pytorch_model-0000${i + 1}-of-00002.bin`;
  shards.forEach((shard, i) => writeFileSync(`${copy}/${nameOf(i)}`, torchArchive(shard)));
  const weightMap = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)])));
  writeFileSync(`${copy}/pytorch_model.bin.index.json`, JSON.stringify({ weight_map: weightMap }));
  await withModel(copy, ({ tensors: read }) => assert.ok([...read.values()].every(({ file }) => file.path.endsWith('.safetensors'))));
  rmSync(`${copy}/model.safetensors`);
  await withModel(copy, ({ tensors: read }) => assert.equal(new Set(read.keys()), new Set(tensors.map(({ name }) => name))));
  rmSync(`${copy}/${nameOf(1)}`);
  await rejectsModel('INDEX', copy, /pytorch_model-00002-of-00002\.bin.*pytorch_model\.bin\.index\.json/);
  const outside = { weight_map: { a: '../../pytorch_model.bin' } };
  writeFileSync(`${copy}/pytorch_model.bin.index.json`, JSON.stringify(outside));
  await rejectsModel('INDEX_PATH', copy);
  writeFileSync(`${copy}/pytorch_model.bin.index.json`, JSON.stringify({ weight_map: { a: 'model.safetensors' } }));
  await rejectsModel('INDEX', copy, /\*\.bin/);
});

t('reads a checkpoint of any name, and the model of one that holds other things too', async () => {
  const source = tinyCopy('bert-relu');
  const tensors = await readAsTorch(`${source}/model.safetensors`, false);
  rmSync(`${source}/model.safetensors`);
  const dictionary = (items: readonly TorchTensor[], prefix = ''): Buffer =>
    pickle.dictionary(items.map((each) => [pickle.text(prefix + each.name), tensorCall(each)]));
  const state = pickle.dictionary([[pickle.text('momentum'), tensorCall(tensors[0]!)]]);
  for (const [name, key, prefix] of [
    ['last.ckpt', 'state_dict', ''],
    ['model.pt', 'model_state_dict', 'module.'],
    ['weights.pth', 'model', ''],
    ['other.bin', undefined, 'module.'],
  ] as const) {
    const copy = temporaryFolder();
    for (const file of ['config.json', 'vocab.txt', 'tokenizer.json']) copyFileSync(path.join(source, file), path.join(copy, file));
    const own = dictionary(tensors, prefix);
    const whole =
      key === undefined
        ? own
        : pickle.dictionary([
            [pickle.text('epoch'), pickle.integer(3)],
            [pickle.text('optimizer'), state],
            [pickle.text(key), own],
          ]);
    writeFileSync(`${copy}/${name}`, torchArchive(tensors, pickle.whole(whole)));
    writeFileSync(`${copy}/optimizer.pt`, 'never read');
    await withModel(copy, ({ tensors: read }) => assert.equal(new Set(read.keys()), new Set(tensors.map((each) => each.name)), name));
  }
  const empty = pickle.dictionary([[pickle.text('state_dict'), pickle.dictionary([])]]);
  await refuses('WEIGHTS', torchArchive([], pickle.whole(empty)), /empty dictionary/);
});

t('refuses hostile weights of a model without leaving a file open', async () => {
  for (const name of ['hostile-system.bin', 'hostile-eval-legacy.bin', 'short-storage.bin']) {
    const copy = tinyCopy('bert-relu');
    rmSync(`${copy}/model.safetensors`);
    copyFileSync(files + name, `${copy}/pytorch_model.bin`);
    await rejectsModel(name.startsWith('short') ? 'WEIGHTS' : 'UNSAFE_FORMAT', copy, /pytorch_model\.bin/);
  }
  const zipped = tinyCopy('bert-relu');
  copyFileSync(`${files}zip.bin`, `${zipped}/pytorch_model.bin`);
  rmSync(`${zipped}/model.safetensors`);
  assert.is((await rejection(() => loadModel(zipped))).code, 'MODEL_MISMATCH');
});

t('notices a file that changes while it is read', async () => {
  const file = path.join(folder, 'changing.bin');
  writeFileSync(file, torchArchive([tensor('a', [64])]));
  const {
    files: [opened],
    tensors,
  } = await openTorchFile(file);
  truncateSync(file, 60);
  assert.is((await rejection(() => opened!.verifyUnchanged())).code, 'IO');
  assert.is((await rejection(() => tensors.get('a')!.file.read('a'))).code, 'IO');
  await opened!.close();
});

t('hashes pytorch_model.bin where there are no safetensors', async () => {
  const copy = tinyCopy('bert-relu');
  const before = await weightsHash(copy);
  writeFileSync(`${copy}/pytorch_model.bin`, 'beside');
  assert.is(await weightsHash(copy), before);
  renameSync(`${copy}/model.safetensors`, `${copy}/pytorch_model.bin`);
  assert.is(await weightsHash(copy), before);
});

t.run();
