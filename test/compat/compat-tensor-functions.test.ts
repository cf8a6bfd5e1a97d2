import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  cat,
  full,
  full_like,
  layer_norm,
  log_softmax,
  matmul,
  mean,
  ones,
  ones_like,
  permute,
  quantize_embeddings,
  rand,
  randn,
  slice,
  stack,
  std_mean,
  Tensor,
  topk,
  zeros,
  zeros_like,
} from '../../src/index.js';
import { codeOf, rejection } from '../support/checkpoint-files.js';

const t = suite('compat tensor functions');
const floats = (numbers: readonly number[], ...dims: number[]) => new Tensor(Float32Array.from(numbers), dims);
const counting = (...dims: number[]) => floats([...Array(dims.reduce((size, dim) => size * dim, 1)).keys()], ...dims);
const refuses = (code: string, ...calls: (() => unknown)[]) => calls.forEach((call) => assert.is(codeOf(call), code, call.toString()));
const isNear = (actual: unknown, expected: unknown): void => {
  if (!Array.isArray(expected)) return void assert.ok(Math.abs((actual as number) - (expected as number)) < 1e-6, `${actual} ${expected}`);
  assert.is((actual as unknown[]).length, expected.length);
  expected.forEach((each, i) => isNear((actual as unknown[])[i], each));
};

// Expected values were printed by @huggingface/transformers 4.3.1, whose functions have the same names.
t('reduces to sums, norms, means and extremes, of all numbers or along a dimension', () => {
  const tensor = floats([3, -1, 2, 0, 5, -4], 2, 3);
  assert.equal([tensor.sum().item(), tensor.sum(0).tolist(), tensor.sum(-1, true).tolist()], [5, [3, 4, -2], [[4], [1]]]);
  assert.equal([tensor.max().item(), tensor.max(0).tolist(), tensor.min(1).tolist()], [5, [3, 5, 2], [-1, -4]]);
  isNear([tensor.norm().item(), tensor.norm(2, 0).tolist()], [7.416198487, [3, 5.099019514, 4.472135955]]);
  assert.equal(
    [tensor.norm(1, 1, true).dims, mean(tensor, 1).tolist(), tensor.argmin().item()],
    [[2, 1], [4, 1].map((x) => Math.fround(x / 3)), 5],
  );
  const [std, middle] = std_mean(tensor, 1);
  isNear(
    [std.tolist(), middle.tolist()],
    [
      [2.081666, 4.50925],
      [1.333333, 0.333333],
    ],
  );
  isNear(
    std_mean(tensor).map((each) => each.item()),
    [3.188521, 0.833333],
  );
  const whole = new Tensor('int64', [4, 2n], [2]);
  assert.equal([whole.sum().item(), whole.max().item(), whole.mean().item()], [6n, 4n, 3]);
  refuses(
    'INVALID_ARG',
    () => tensor.sum(2),
    () => tensor.norm('l1' as 'fro'),
    () => floats([], 0).max(),
  );
});

t('computes with constants, in place where the name ends in _', () => {
  const tensor = floats([1, -2, 3.5], 3);
  assert.equal(tensor.mul(2).add(1).sub(3).div(2).tolist(), [0, -3, 2.5]);
  assert.equal(
    [tensor.neg().tolist(), tensor.clamp(-1, 2).tolist(), tensor.round().tolist()],
    [
      [-1, 2, -3.5],
      [1, -1, 2],
      [1, -2, 4],
    ],
  );
  assert.equal([tensor.gt(0).tolist(), tensor.lt(0).tolist(), tensor.gt(0).type], [[1, 0, 1], [0, 1, 0], 'bool']);
  assert.equal(
    [tensor.remainder(2).tolist(), tensor.remainder(-2).tolist()],
    [
      [1, 0, 1.5],
      [-1, -0, -0.5],
    ],
  );
  assert.equal(tensor.tolist(), [1, -2, 3.5]);
  assert.is(tensor.mul_(2).add_(1), tensor);
  assert.equal([tensor.tolist(), tensor.indexOf(8)], [[3, -3, 8], 2]);
  const whole = new Tensor('int64', [7n, -7n], [2]);
  assert.equal(
    [whole.mul(2n).tolist(), whole.add(1).tolist(), whole.div(2).tolist(), whole.remainder(4).tolist()],
    [
      [14n, -14n],
      [8n, -6n],
      [3n, -3n],
      [3n, 1n],
    ],
  );
  assert.equal([whole.neg().tolist(), whole.clamp(-1, 5).tolist(), whole.indexOf(-7)], [[-7n, 7n], [5n, -1n], 1]);
  const bytes = new Tensor('uint8', [1, 2], [2]);
  refuses(
    'INVALID_ARG',
    () => whole.add(0.5),
    () => whole.div(0),
    () => bytes.remainder(0),
    () => bytes.remainder(-1),
    () => bytes.sigmoid_(),
    () => tensor.mul(tensor as unknown as number),
  );
});

t('changes shapes: views share memory, permuted and repeated ones are copies', () => {
  const tensor = counting(2, 1, 3);
  assert.equal(
    [tensor.squeeze().dims, tensor.squeeze(1).dims, tensor.squeeze([0, 1]).dims, tensor.squeeze(0).dims],
    [
      [2, 3],
      [2, 3],
      [2, 3],
      [2, 1, 3],
    ],
  );
  assert.equal(
    [tensor.unsqueeze(0).dims, tensor.unsqueeze(-1).dims, tensor.stride()],
    [
      [1, 2, 1, 3],
      [2, 1, 3, 1],
      [3, 3, 1],
    ],
  );
  assert.is(tensor.squeeze().data, tensor.data);
  assert.equal([tensor.flatten().dims, tensor.flatten(1).dims, tensor.flatten(0, 1).dims], [[6], [2, 3], [2, 3]]);
  assert.equal(tensor.permute(2, 0, 1).tolist(), [
    [[0], [3]],
    [[1], [4]],
    [[2], [5]],
  ]);
  assert.equal(permute(counting(2, 3), [1, 0]).tolist(), counting(2, 3).transpose(1, 0).tolist());
  assert.equal(counting(2, 2).repeat(1, 2).tolist(), [
    [0, 1, 0, 1],
    [2, 3, 2, 3],
  ]);
  assert.equal(
    [counting(2).repeat(2, 2).tolist(), counting(2, 1).tile(2).tolist()],
    [
      [
        [0, 1, 0, 1],
        [0, 1, 0, 1],
      ],
      [
        [0, 0],
        [1, 1],
      ],
    ],
  );
  const own = counting(1, 4);
  assert.equal([own.squeeze_().dims, own.unsqueeze_(-1).dims, own.flatten_().dims], [[4], [4, 1], [4]]);
  refuses(
    'INVALID_ARG',
    () => tensor.permute(0, 1),
    () => tensor.permute(0, 0, 1),
    () => tensor.unsqueeze(4),
    () => tensor.repeat(2),
    () => tensor.view(-1, -1),
  );
});

t('converts types as typed arrays do', () => {
  const tensor = floats([1.7, -1.7, 300], 3);
  assert.is(tensor.to('float32'), tensor);
  assert.equal(
    [tensor.to('int32').tolist(), tensor.to('int8').tolist(), tensor.to('int64').tolist()],
    [
      [1, -1, 300],
      [1, -1, 44],
      [1n, -2n, 300n],
    ],
  );
  assert.equal(tensor.to('int64').to('float64').type, 'float64');
  assert.equal([new Tensor('bool', [true, false], [2]).tolist(), new Tensor('float64', [0.1], [1]).tolist()], [[1, 0], [0.1]]);
  refuses(
    'INVALID_OPTION',
    () => tensor.to('float8' as 'int8'),
    () => new Tensor('string' as 'int8', [], [0]),
  );
  refuses(
    'INVALID_ARG',
    () => floats([NaN], 1).to('int64'),
    () => new Tensor('int32', [0.5], [1]),
    () => new Tensor('int8', ['a'] as never, [1]),
  );
});

t('makes tensors', () => {
  assert.equal(
    [ones([2]).tolist(), zeros([1, 2]).tolist(), full([2], 0.5).tolist(), full([1], true).type],
    [[1n, 1n], [[0n, 0n]], [0.5, 0.5], 'bool'],
  );
  const like = counting(2, 2);
  assert.equal(
    [ones_like(like).dims, zeros_like(like).type, full_like(like, 3n).tolist()],
    [
      [2, 2],
      'int64',
      [
        [3n, 3n],
        [3n, 3n],
      ],
    ],
  );
  const even = rand([1000]);
  assert.ok(even.data.every((value) => value >= 0 && value < 1));
  assert.ok(Math.abs(even.mean().item() - 0.5) < 0.1);
  const [deviation, middle] = std_mean(randn([4000]));
  assert.ok(Math.abs(middle.item()) < 0.15 && Math.abs(deviation.item() - 1) < 0.15);
  refuses(
    'INVALID_ARG',
    () => ones([-1]),
    () => full([1], 'a' as unknown as number),
    () => rand(3 as unknown as number[]),
  );
});

t('joins, sorts, cuts and multiplies', async () => {
  const [a, b] = [counting(2, 2), counting(2, 1)];
  assert.equal(
    [cat([a, a]).dims, cat([a, b], 1).tolist(), cat([a, b], -1).dims],
    [
      [4, 2],
      [
        [0, 1, 0],
        [2, 3, 1],
      ],
      [2, 3],
    ],
  );
  assert.equal(
    [stack([a, a], 1).tolist(), stack([a, a]).dims],
    [
      [
        [
          [0, 1],
          [0, 1],
        ],
        [
          [2, 3],
          [2, 3],
        ],
      ],
      [2, 2, 2],
    ],
  );
  const [values, indices] = await topk(floats([1, 5, 3, 5, 0, 2], 2, 3), 2);
  assert.equal(
    [values.tolist(), indices.tolist()],
    [
      [
        [5, 3],
        [5, 2],
      ],
      [
        [1, 2],
        [0, 2],
      ],
    ],
  );
  assert.equal((await topk(a))[0].dims, [2, 2]);
  assert.equal((await slice(counting(3, 4), [0, -1], [2, 0], [0, 1], [1, -2])).tolist(), [
    [3, 1],
    [7, 5],
  ]);
  assert.equal((await matmul(a, b)).tolist(), [[1], [3]]);
  assert.equal(
    [(await matmul(counting(2), a)).tolist(), (await matmul(a, counting(2))).tolist(), (await matmul(counting(2), counting(2))).item()],
    [[2, 3], [1, 3], 1],
  );
  assert.equal((await matmul(counting(2, 1, 2, 2), counting(3, 2, 1))).dims, [2, 3, 2, 1]);
  assert.equal((await matmul(counting(2, 1, 1, 2), counting(2, 2, 1))).tolist(), [
    [[[1]], [[3]]],
    [[[3]], [[13]]],
  ]);
  refuses(
    'INVALID_ARG',
    () => cat([]),
    () => cat([a, counting(3)]),
    () => cat([a, b]),
    () => stack([a, b]),
  );
  for (const call of [() => topk(a, -1), () => matmul(a, counting(3)), () => slice(a, [0], [1, 2], [0])])
    assert.is((await rejection(call)).code, 'INVALID_ARG');
});

t('normalizes layers and packs bits', () => {
  isNear(layer_norm(floats([1, 2, 3, -1, 0, 4], 2, 3), [3]).tolist(), [
    [-1.2247298, 0, 1.2247298],
    [-0.9258158, -0.4629079, 1.3887238],
  ]);
  isNear(log_softmax([0, Math.log(3)]), [Math.log(0.25), Math.log(0.75)]);
  const vectors = floats([1, -1, 0, 2, 3, -4, -5, 6, 0, 0, 0, 0, 0, 0, 0, 1], 2, 8);
  assert.equal(
    [quantize_embeddings(vectors, 'ubinary').tolist(), quantize_embeddings(vectors, 'binary').tolist()],
    [
      [[0b10011001], [1]],
      [[25], [-127]],
    ],
  );
  assert.equal([quantize_embeddings(vectors, 'ubinary').type, quantize_embeddings(vectors, 'binary').type], ['uint8', 'int8']);
  refuses(
    'INVALID_ARG',
    () => quantize_embeddings(counting(2, 4), 'binary'),
    () => layer_norm(counting(2, 4), [2]),
  );
  refuses('INVALID_OPTION', () => quantize_embeddings(vectors, 'int8' as 'binary'));
});

t.run();
