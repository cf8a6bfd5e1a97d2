import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { editJson, golden, rejectsModel, temporaryFolder, tinyCopy, withModel } from '../support/checkpoint-files.js';

const t = suite('checkpoint shards');

// -------------------------------------------------------------------------------------------------------------------------- shards

t('merges shards into the tensors of the single file', () =>
  withModel(golden('tiny/bert-sharded'), (sharded) =>
    withModel(golden('tiny/bert-f16'), (single) => {
      assert.equal([...sharded.tensors.keys()].sort(), [...single.tensors.keys()].sort());
      assert.is(new Set([...sharded.tensors.values()].map((tensor) => tensor.file.path)).size, 3);
    }),
  ),
);

type WeightMapJson = Record<string, unknown>;

/** A sharded model whose index has been changed. */
function shardedWith(change: (weightMap: WeightMapJson, folder: string) => void): string {
  const folder = tinyCopy('bert-sharded');
  const index = `${folder}/model.safetensors.index.json`;
  const { weight_map: weightMap } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: WeightMapJson };
  change(weightMap, folder);
  editJson(index, { weight_map: weightMap });
  return folder;
}
const FIRST = 'embeddings.LayerNorm.bias';
const SHARD_1 = 'model-00001-of-00003.safetensors';
const SHARD_2 = 'model-00002-of-00003.safetensors';

t('rejects shard names that leave the directory', async () => {
  const outside = golden('tiny/bert-relu/model.safetensors');
  const names = [
    '../../etc/passwd',
    '../model.safetensors',
    'a/../../model.safetensors',
    '..',
    outside,
    '/etc/passwd',
    '..\\model.safetensors',
    'C:\\model.safetensors',
    'c:model.safetensors',
    'model.safetensors\0.safetensors',
  ];
  for (const name of names)
    await rejectsModel(
      'INDEX_PATH',
      shardedWith((weightMap) => (weightMap[FIRST] = name)),
    );
});

t('rejects a shard that is a link out of the directory', async () => {
  const outside = path.join(temporaryFolder(), 'outside.safetensors');
  const folder = shardedWith((_, copy) => {
    renameSync(path.join(copy, SHARD_1), outside);
    symlinkSync(outside, path.join(copy, SHARD_1));
  });
  await rejectsModel('INDEX_PATH', folder, /link/);
});

t('follows a shard that is a link inside the directory, and a link to the directory', () => {
  const folder = shardedWith((_, copy) => {
    mkdirSync(`${copy}/data`);
    renameSync(path.join(copy, SHARD_1), `${copy}/data/one`);
    symlinkSync('data/one', path.join(copy, SHARD_1));
  });
  const link = path.join(temporaryFolder(), 'model');
  symlinkSync(folder, link);
  return withModel(link, (model) => assert.is(model.tensors.size, 39));
});

t('rejects an index that does not fit its shards', async () => {
  await rejectsModel(
    'INDEX',
    shardedWith((_, folder) => rmSync(path.join(folder, SHARD_2))),
    /00002/,
  );
  await rejectsModel(
    'INDEX',
    shardedWith((weightMap) => (weightMap['extra.weight'] = SHARD_1)),
    /extra\.weight/,
  );
  await rejectsModel(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = SHARD_2)),
    /LayerNorm\.bias/,
  );
  await rejectsModel(
    'INDEX',
    shardedWith((weightMap, folder) => {
      copyFileSync(path.join(folder, SHARD_1), `${folder}/copy.safetensors`);
      weightMap[FIRST] = 'copy.safetensors';
    }),
    /one shard/,
  );
  await rejectsModel(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = 3)),
  );
  await rejectsModel(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = 'vocab.txt')),
  );
});

t('rejects an index that is no index', async () => {
  for (const text of ['', '[]', '{}', '{"weight_map":[]}', '{"weight_map":{}}', '{"weight_map":null}']) {
    const folder = tinyCopy('bert-sharded');
    writeFileSync(`${folder}/model.safetensors.index.json`, text);
    await rejectsModel('INDEX', folder);
  }
});

t('rejects an index with too many shards before opening one', async () => {
  const folder = shardedWith((weightMap) => {
    for (let i = 0; i < 600; i++) weightMap[`t${i}`] = `${i}.safetensors`;
  });
  await rejectsModel('INDEX', folder, /1\.\.512/);
});

t('prefers model.safetensors to an index, as transformers does', () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/model.safetensors.index.json`, 'not read');
  return withModel(folder, (model) => assert.is(model.tensors.size, 71));
});

// ---------------------------------------------------------------------------------------------------------------------- Hub cache

/** A model in the layout of the Hub's cache: snapshot files are links to ../../blobs. Returns the snapshot. */
function hubCache(source: string): string {
  const repository = path.join(temporaryFolder(), 'models--org--name');
  const snapshot = path.join(repository, 'snapshots', '0123456789abcdef0123456789abcdef01234567');
  cpSync(source, path.join(repository, 'blobs'), { recursive: true });
  const link = (folder: string): void => {
    mkdirSync(path.join(snapshot, folder), { recursive: true });
    for (const entry of readdirSync(path.join(repository, 'blobs', folder), { withFileTypes: true })) {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) link(name);
      else symlinkSync(path.relative(path.join(snapshot, folder), path.join(repository, 'blobs', name)), path.join(snapshot, name));
    }
  };
  link('');
  return snapshot;
}

t('opens snapshots of the Hub’s cache, whose files are links to blobs', async () => {
  await withModel(hubCache(golden('tiny/bert-sharded')), (model) => assert.is(model.tensors.size, 39));
  await withModel(hubCache(golden('sentence/new-layout')), (model) => assert.is(model.sentenceTransformers!.modules.length, 2));
});

t('rejects a shard of a snapshot that links out of its repository', async () => {
  const snapshot = hubCache(golden('tiny/bert-sharded'));
  rmSync(path.join(snapshot, SHARD_1));
  symlinkSync(golden('tiny/bert-sharded', SHARD_1), path.join(snapshot, SHARD_1));
  await rejectsModel('INDEX_PATH', snapshot);
});

t('does not extend the Hub’s rule to other directories named snapshots', async () => {
  const root = temporaryFolder();
  const snapshot = path.join(root, 'other', 'snapshots', 'x');
  cpSync(golden('tiny/bert-sharded'), snapshot, { recursive: true });
  renameSync(path.join(snapshot, SHARD_1), path.join(root, 'other', 'blob'));
  symlinkSync('../../blob', path.join(snapshot, SHARD_1));
  await rejectsModel('INDEX_PATH', snapshot);
});

t.run();
