// Word vectors in processes that end in the middle, on disks that are full, and in many threads at once.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { KeyedVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';
import { drawnCorpus } from '../support/drawn-corpus.js';
import { importWords, messageOf, runChild, startWorker } from '../support/library.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const t = suite('word vectors in processes');
const root = mkdtempSync(join(tmpdir(), 'bertha-words-process-'));
t.after(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(root, 'x-'));

/** A training that does not end by itself, as JavaScript. */
const endless = (train: string, directory: string): string => `words.${train}(
  Array.from({ length: 400 }, (_, i) => Array.from({ length: 10 }, (_, j) => 'w' + ((i * 7 + j * j) % 90))),
  { minCount: 1, epochs: 1000000, vectorSize: 64, ${train === 'trainFastText' ? 'bucket: 500, ' : ''}directory: ${JSON.stringify(directory)},
    onProgress: ({ phase }) => { if (phase === 'train') isTraining = true; } })`;

for (const [name, end, expected] of [
  ['process.exit', 'process.exit(7)', 7],
  ['an uncaught error', `throw new RangeError('mine')`, 1],
] as const) {
  t(`${name} while word2vec, fastText and GloVe train ends at once with its code, and leaves no file`, async () => {
    const imports = await importWords();
    for (const train of ['trainWord2Vec', 'trainFastText', 'trainGloVe']) {
      const directory = newFolder();
      let ending = 0;
      const { code, signal, output } = await runChild(
        `${imports}let isTraining = false;
        ${endless(train, directory)};
        const look = () => { if (isTraining) { console.log('now'); ${end}; } setTimeout(look, 5); };
        look();`,
        { isAbrupt: true, onLine: () => (ending ||= performance.now()) },
      );
      assert.equal([code, signal], [expected, null], output);
      assert.ok(performance.now() - ending < 5000, 'it waited for the training');
      assert.match(output, expected === 1 ? /RangeError: mine/ : /^now\n$/);
      assert.equal(readdirSync(directory), []);
    }
  });
}

t('what a process that was killed left of temporary files goes at the next start, that of others stays', async () => {
  const directory = newFolder();
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [gone, alive, other] = [`bertha-words-${dead}-abcdef`, `bertha-words-${process.ppid}-abcdef`, 'bertha-words-list.txt'];
  for (const name of [gone, alive, other]) writeFileSync(join(directory, name), 'left');
  const { signal } = await runChild(
    `${await importWords()}let isTraining = false;
    ${endless('trainGloVe', directory)};
    const look = () => (isTraining ? console.log('now') : setTimeout(look, 5));
    look();`,
    { isAbrupt: true, onLine: (_, end) => end('SIGKILL') },
  );
  assert.is(signal, 'SIGKILL');
  assert.equal(readdirSync(directory).sort(), [alive, other].sort());
  writeFileSync(join(directory, gone), 'left');
  await trainWord2Vec([['a', 'b']], { minCount: 1, epochs: 1, vectorSize: 4, directory });
  assert.equal(readdirSync(directory).sort(), [alive, other].sort());
});

/**
 * Whatever writes, in a folder of little room: prints what each ended with, what it left there, and whether the file that was there before
 * is as it was.
 */
const littleRoom = (folder: string, packed: string): string => `
  const { readdirSync, readFileSync, rmSync, writeFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const folder = ${JSON.stringify(folder)};
  const many = function* () { for (let i = 0; i < 150; i++) yield Array.from({ length: 10000 }, (_, j) => 'w' + ((i * 31 + j * 17) % 900)); };
  const wide = Array.from({ length: 40 }, (_, i) => Array.from({ length: 1500 }, (_, j) => 'w' + ((i * 7919 + j * 104729 + j * j * 31) % 2003)));
  const small = { minCount: 1, epochs: 1, vectorSize: 4, directory: folder };
  const names = Array.from({ length: 60000 }, (_, i) => 'some-long-word-' + i);
  const data = Float32Array.from({ length: 60000 * 24 }, (_, i) => Math.sin(i));
  const vectors = words.KeyedVectors.fromVectors(names, { data, dimensions: 24 });
  const { vectors: subwords } = await words.trainFastText([['a', 'b']], { ...small, vectorSize: 24, bucket: 60000, directory: '/tmp' });
  const largest = Array.from({ length: 50000 }, () => 2 ** 53 - 1); // their lines are longer than those of one zero each
  const short = { data: new Float32Array(50000), dimensions: 1 };
  const counted = words.KeyedVectors.fromVectors(largest.map((_, i) => 'w' + i), short, largest);
  const save = (name, options, kv = vectors) => [name, () => kv.save(join(folder, name), options)];
  const found = [];
  for (const [name, work] of [
    ['a spool', () => words.trainWord2Vec(many(), small)],
    ['runs of co-occurrences', () => words.trainGloVe(wide, { ...small, memoryBytes: 2 ** 20 })],
    ['cells of co-occurrences', () => words.trainGloVe(wide, small)],
    ['a packed file', () => words.loadWordVectors(${JSON.stringify(packed)})],
    save('full.vec'), save('full.txt'), save('full.bin'), save('full.safetensors'),
    save('quantized.safetensors', { quantize: 'int8' }), save('model.bin', { format: 'fasttext' }, subwords),
    ['counts.txt', () => counted.save(${JSON.stringify(`${packed}.short`)}, { format: 'glove', vocabulary: join(folder, 'counts.txt') })],
  ]) {
    writeFileSync(join(folder, name), 'old');
    const failure = await work().then(() => null, (error) => error);
    found.push({ name, type: failure?.name, code: failure?.code, message: failure?.message,
      files: readdirSync(folder), old: readFileSync(join(folder, name), 'utf8') });
    rmSync(join(folder, name));
  }
  console.log(JSON.stringify(found));
`;

async function assertRefused(words: RegExp, through: readonly string[], folder: string): Promise<void> {
  const packed = join(root, 'packed.vec.gz');
  const random = Float32Array.from({ length: 30_000 * 24 }, (_, i) => Math.sin(i * i));
  const names = Array.from({ length: 30_000 }, (_, i) => `word${i}`);
  await KeyedVectors.fromVectors(names, { data: random, dimensions: 24 }).save(join(root, 'unpacked.vec'));
  writeFileSync(packed, gzipSync(readFileSync(join(root, 'unpacked.vec')), { level: 1 }));
  const { code, output } = await runChild(`${await importWords()}${littleRoom(folder, packed)}`, {
    through,
    environment: { TMPDIR: folder },
  });
  assert.is(code, 0, output);
  const found = JSON.parse(output) as { name: string; type?: string; code?: string; message: string; files: string[]; old: string }[];
  assert.is(found.length, 11);
  for (const { name, type, code: own, message, files, old } of found) {
    assert.equal([name, type, own], [name, 'BerthaError', 'IO'], message);
    assert.match(message, words);
    assert.equal([name, files, old], [name, [name], 'old'], message);
  }
}

t('a full disk is IO with the system’s code, leaves nothing, and what was there stays', async () => {
  const mounts = ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'];
  if (spawnSync(mounts[0]!, [...mounts.slice(1), newFolder(), 'true']).status !== 0) return skip('no small disk can be mounted (unshare)');
  const disk = newFolder();
  await assertRefused(/ENOSPC/, [...mounts, disk], disk);
});

t('a limit to the size of files is IO with the system’s code, leaves nothing, and what was there stays', async () => {
  if (spawnSync('prlimit', ['--version']).status !== 0) return skip('no prlimit');
  await assertRefused(/EFBIG/, ['prlimit', '--fsize=500000'], newFolder());
});

t('16 workers that train and search at once have the bits of the main thread', async () => {
  const sentences = drawnCorpus(200);
  const own = { minCount: 1, epochs: 2, vectorSize: 16 };
  const bits = async (kv: KeyedVectors): Promise<string> => {
    const near = await kv.mostSimilar('a0', { topN: 3 });
    return JSON.stringify([near, Array.from(kv.get('a0')!), await kv.rank('a0', near[2]!.word)]);
  };
  const expected = [
    await bits((await trainWord2Vec(sentences, { ...own, deterministic: true })).vectors),
    await bits((await trainFastText(sentences, { ...own, deterministic: true, bucket: 100 })).vectors),
    await bits((await trainGloVe(sentences, own)).vectors),
  ];
  const source = `${await importWords()}
    const bits = async (kv) => { const near = await kv.mostSimilar('a0', { topN: 3 });
      return JSON.stringify([near, Array.from(kv.get('a0')), await kv.rank('a0', near[2].word)]); };
    const { sentences, own } = workerData;
    parentPort.postMessage(await Promise.all([
      words.trainWord2Vec(sentences, { ...own, deterministic: true }),
      words.trainFastText(sentences, { ...own, deterministic: true, bucket: 100 }),
      words.trainGloVe(sentences, own),
    ].map(async (training) => bits((await training).vectors))));`;
  const workers = Array.from({ length: 16 }, () => startWorker(source, { sentences, own }));
  for (const found of await Promise.all(workers.map(messageOf))) assert.equal(found, expected);
  await Promise.all(workers.map((worker) => worker.terminate()));
});

t.run();
