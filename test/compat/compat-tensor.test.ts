import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { AutoModel, AutoTokenizer, cos_sim, dot, loadEmbedder, mean_pooling, pipeline, softmax, Tensor } from '../../src/index.js';
import { codeOf, golden } from '../support/checkpoint-files.js';

const t = suite('compat tensor');
const counting = (...dims: number[]) => {
  const size = dims.reduce((product, dimension) => product * dimension, 1);
  return new Tensor(
    Float32Array.from({ length: size }, (_, i) => i),
    dims,
  );
};
const isNear = (actual: ArrayLike<number>, expected: readonly number[]) => {
  assert.is(actual.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i]! - value) < 1e-6, `${actual[i]} is not ${value}`));
};

t('gives its parts by index and by iteration, sharing memory', () => {
  const tensor = counting(2, 3, 2);
  assert.equal([tensor[1]!.dims, tensor[-1]![0]!.tolist(), tensor[0]![2]![1]!.item()], [[3, 2], [6, 7], 5]);
  assert.is(tensor[1]!.data.buffer, tensor.data.buffer);
  assert.equal(
    [...tensor].map((part) => (part as Tensor).tolist()),
    tensor.tolist(),
  );
  assert.equal([...counting(3)], [0, 1, 2]);
  for (const index of [2, -3])
    assert.is(
      codeOf(() => tensor[index]),
      'INVALID_ARG',
    );
  assert.is((tensor as unknown as Record<string, unknown>)['then'], undefined);
  assert.is(String(tensor), '[object Object]');
});

t('slices as transformers.js: indices, ranges, whole dimensions, from the end', () => {
  const tensor = counting(4, 7);
  assert.equal(tensor.slice([1, -1], [1, -1]).tolist(), [
    [8, 9, 10, 11, 12],
    [15, 16, 17, 18, 19],
  ]);
  assert.equal(tensor.slice(null, 0).tolist(), [0, 7, 14, 21]);
  assert.equal(tensor.slice(-1, [null, 2]).tolist(), [21, 22]);
  assert.equal(tensor.slice([2, null]).dims, [2, 7]);
  assert.equal([tensor.slice(1, 1).dims, tensor.slice(1, 1).item()], [[], 8]);
  for (const slice of [4, [3, 1], [0, 1, 2], 'a'])
    assert.is(
      codeOf(() => tensor.slice(slice as number)),
      'INVALID_ARG',
    );
  assert.is(
    codeOf(() => tensor.slice(0, 0, 0)),
    'INVALID_ARG',
  );
});

t('computes along dimensions', () => {
  const tensor = new Tensor(Float32Array.of(0, Math.log(3), 0, 0), [2, 2]);
  isNear(tensor.softmax().data, [0.25, 0.75, 0.5, 0.5]);
  isNear(tensor.softmax(0).data, [0.5, 0.75, 0.5, 0.25]);
  isNear(tensor.sigmoid().data, [0.5, 0.75, 0.5, 0.5]);
  assert.equal([tensor.argmax().item(), tensor.argmax(-1).tolist(), tensor.argmax(0, true).dims], [1, [1, 0], [1, 2]]);
  assert.equal([counting(2, 2).mean().item(), counting(2, 2).mean(0).tolist()], [1.5, [1, 2]]);
  isNear(new Tensor(Float32Array.of(3, 4, 0, 0), [2, 2]).normalize().data, [0.6, 0.8, 0, 0]);
  assert.equal(
    [
      counting(2, 3).view(3, -1).dims,
      counting(2)
        .map((x) => x + 1)
        .tolist(),
    ],
    [
      [3, 2],
      [1, 2],
    ],
  );
  assert.is(
    codeOf(() => tensor.softmax(2)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => tensor.item()),
    'INVALID_ARG',
  );
});

t('is made as transformers.js makes it', () => {
  assert.equal(new Tensor('float32', [1, 2], [2]).data, Float32Array.of(1, 2));
  const ids = new Tensor('int64', BigInt64Array.of(101n, 102n), [1, 2]);
  assert.equal([ids.type, ids.tolist()], ['int64', [[101n, 102n]]]);
  assert.is(
    codeOf(() => new Tensor('string' as 'bool', [1], [1])),
    'INVALID_OPTION',
  );
  assert.is(
    codeOf(() => new Tensor('float32', [1], [2])),
    'INVALID_ARG',
  );
});

t('exports softmax, dot, cos_sim and mean_pooling', async () => {
  isNear(softmax([0, Math.log(3)]), [0.25, 0.75]);
  isNear(softmax([1000, 1000]), [0.5, 0.5]);
  assert.is(softmax(Float32Array.of(1)).constructor, Float32Array);
  assert.is(dot([1, 2], [3, 4]), 11);
  isNear([cos_sim([1, 0], [1, 1]), cos_sim([2, 4], [1, 2])], [Math.SQRT1_2, 1]);
  assert.is(
    codeOf(() => dot([1], [1, 2])),
    'INVALID_ARG',
  );
  const mask = new Tensor(Int32Array.of(1, 0, 0, 0), [2, 2]);
  assert.equal(mean_pooling(counting(2, 2, 2), mask).tolist(), [
    [0, 1],
    [0, 0],
  ]);
  assert.is(
    codeOf(() => mean_pooling(counting(2, 2, 3), new Tensor(Int32Array.of(1), [1, 1]))),
    'INVALID_ARG',
  );

  const directory = golden('sentence/normalize');
  const texts = ['It rains.', 'A longer sentence about rain.'];
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  const model = await AutoModel.from_pretrained(directory);
  const inputs = tokenizer(texts, { padding: true });
  const pooled = mean_pooling((await model(inputs)).last_hidden_state!, inputs.attention_mask).normalize();
  const embedder = await loadEmbedder(directory);
  (await embedder.embed(texts)).forEach(({ vector }, i) => isNear(pooled[i]!.data, [...vector]));
  embedder.dispose();
  await model.dispose();
});

t('is what feature extraction returns', async () => {
  const extract = await pipeline('feature-extraction', golden('sentence/normalize'));
  const output = await extract(['It rains.', 'Rain.'], { pooling: 'mean', normalize: true });
  const [first, second] = output.tolist() as number[][];
  isNear(output[0]!.data, first!);
  assert.ok(cos_sim(first!, second!) < 1);
  assert.ok(Math.abs(dot(output[1]!.data, second!) - 1) < 1e-6);
  await extract.dispose();
});

t.run();
