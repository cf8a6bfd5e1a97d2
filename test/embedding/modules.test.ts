// Modules of sentence-transformers besides Dense and Normalize: LayerNorm is computed, the others say why they are not.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import { loadEmbedder } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { assertWithin } from '../support/compare.js';
import { Random } from '../support/random.js';
import { layerNorm } from '../support/reference.js';
import { suite } from '../support/suite.js';

const test = suite('modules of sentence-transformers');
const source = golden('sentence/pooling-mean');

interface Entry {
  readonly idx: number;
  readonly name: string;
  readonly path: string;
  readonly type: string;
}

/** A copy of a directory with another list of modules. */
function withModules(change: (modules: Entry[]) => readonly Entry[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-modules-'));
  cpSync(source, folder, { recursive: true });
  const file = join(folder, 'modules.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Entry[])));
  return folder;
}

const entry = (kind: string, path: string): Entry => ({ idx: 9, name: '9', path, type: `sentence_transformers.models.${kind}` });

test('a LayerNorm after the pooling', async () => {
  using plain = await loadEmbedder(source);
  const texts = ['a cat on the mat', '', 'water'];
  const vectors = await plain.embed(texts, { normalize: false });
  const width = plain.dimensions;
  const random = new Random(1);
  const [weight, bias] = [random.floats(width), random.floats(width)];
  const folder = withModules((modules) => [...modules, entry('LayerNorm', '2_LayerNorm')]);
  mkdirSync(join(folder, '2_LayerNorm'));
  writeFileSync(join(folder, '2_LayerNorm', 'config.json'), JSON.stringify({ dimension: width }));
  const tensor = (name: string, values: Float32Array) => ({
    name,
    dtype: 'F32' as const,
    shape: [width],
    bytes: new Uint8Array(values.buffer),
  });
  await writeSafetensors(join(folder, '2_LayerNorm', 'model.safetensors'), [tensor('norm.weight', weight), tensor('norm.bias', bias)]);
  using normed = await loadEmbedder(folder);
  (await normed.embed(texts)).forEach(({ vector }, i) => {
    assertWithin(vector, layerNorm(vectors[i]!.vector, weight, bias, width, 1e-5), 1e-4, texts[i]!);
  });
});

for (const [kind, expected] of [
  ['BoW', /CountVectorizer/],
  ['CNN', /Convolutions/],
  ['LSTM', /Recurrent/],
  ['WordEmbeddings', /KeyedVectors/],
  ['WordWeights', /weighted/],
] as const) {
  test(`${kind} is refused with the reason, wherever it stands`, async () => {
    for (const change of [
      (modules: Entry[]) => [entry(kind, ''), ...modules.slice(1)],
      ([first, ...rest]: Entry[]) => [first!, entry(kind, ''), ...rest],
    ]) {
      const error = await loadEmbedder(withModules(change)).then(
        () => undefined,
        (reason: Error) => reason,
      );
      assert.match(error!.message, kind);
      assert.match(error!.message, expected);
    }
  });
}

test.run();
