import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, largestRelativeDifference } from '../support/compare.js';
import { termArguments, type AttentionTerms } from '../support/attention-terms.js';
import { instructionSet, trainingOps } from '../support/devices.js';
import type { DropoutSite } from '../support/philox.js';
import { Random } from '../support/random.js';
import { attentionGrad, type AttentionGradInputs } from '../support/training-reference.js';
import { readTensors } from '../../scripts/golden/files.js';

const t = suite(`gradient of attention ${instructionSet}`);

interface Drawn extends AttentionGradInputs {
  readonly qkv: Float32Array;
  readonly cuSeqlens: Int32Array;
  readonly relativeBias: Float32Array | null;
  readonly gradOutput: Float32Array;
}

function run({ qkv, cuSeqlens, heads, headDim, scale, relativeBias, gradOutput, dropout, terms = {} }: Drawn) {
  return trainingOps.attentionGrad(qkv, cuSeqlens, heads, headDim, scale, relativeBias, gradOutput, dropout, ...termArguments(terms));
}

function draw(random: Random, lengths: readonly number[], heads: number, headDim: number, options: Partial<Drawn> = {}): Drawn {
  const cuSeqlens = Int32Array.from([0, ...lengths]);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  const tokens = cuSeqlens.at(-1)!;
  return {
    qkv: random.floats(tokens * 3 * heads * headDim),
    cuSeqlens,
    heads,
    headDim,
    scale: 1 / Math.sqrt(headDim),
    relativeBias: null,
    gradOutput: random.floats(tokens * heads * headDim),
    dropout: null,
    ...options,
  };
}

const names = ['output', 'lse', 'qkv', 'relativeBias', 'contentToPosition', 'positionToContent'] as const;

function check(inputs: Drawn, what: string, tolerance = 1e-5): void {
  const actual = run(inputs);
  const expected = attentionGrad(inputs);
  for (const name of names) {
    const difference = largestRelativeDifference(actual[name], expected[name]);
    assert.ok(difference <= tolerance, `${what}: ${name} is off by ${difference}`);
  }
}

t('matches the float64 reference for every length from 1 to 67', () => {
  const random = new Random(1);
  for (let length = 1; length <= 67; length++) {
    const [heads, headDim] = random.pick([
      [1, 4],
      [2, 9],
      [3, 12],
      [1, 32],
    ] as const);
    check(draw(random, [length], heads, headDim), `s=${length} heads=${heads} d=${headDim}`);
  }
});

for (const headDim of [1, 7, 15, 16, 17, 31, 33, 48, 64, 65, 80, 96, 128]) {
  t(`matches the float64 reference at head_dim ${headDim}`, () => {
    check(draw(new Random(headDim), [1, 30, 17, 5], 2, headDim), 'random');
  });
}

const dropout: DropoutSite = { probability: 0.1, seed: 2 ** 40 + 17, microStep: 5, site: 7 };

t('matches the float64 reference over several blocks of queries, with dropout and with a bias', () => {
  const random = new Random(2);
  check(draw(random, [129, 64, 65], 1, 32), 'plain');
  check(draw(random, [130, 3], 2, 16, { dropout }), 'dropout');
  check(draw(random, [257], 1, 8, { dropout, relativeBias: random.floats(32) }), 'dropout and bias');
  check(draw(random, [1, 200], 1, 33, { relativeBias: random.floats(32) }), 'bias');
});

const buckets = Array.from({ length: 301 }, (_, i) => Math.min(40, Math.max(0, i - 130)));
const tables = new Random(77);
const byPosition: Readonly<Record<string, (heads: number, headDim: number) => AttentionTerms>> = {
  rotary: (_, headDim) => ({
    inverseFrequencies: Array.from({ length: headDim >> 1 }, (_, i) => Math.fround(1000 ** ((-2 * i) / headDim))),
  }),
  'a window': () => ({ window: 9 }),
  'a causal mask': () => ({ causal: true }),
  'a causal mask and a window': () => ({ causal: true, window: 70 }),
  'rotary and a window': () => ({ inverseFrequencies: [1, 0.1], window: 70 }),
  slopes: (heads) => ({ slopes: Array.from({ length: heads }, (_, i) => 0.5 / (i + 1)) }),
  'disentangled scores': (heads, headDim) => ({
    buckets,
    contentToPosition: tables.floats(41 * heads * headDim),
    positionToContent: tables.floats(41 * heads * headDim),
  }),
  'relative keys of all heads': (_, headDim) => {
    const table = tables.floats(41 * headDim);
    return { buckets, contentToPosition: table, positionToContent: table };
  },
};

for (const [name, termsOf] of Object.entries(byPosition)) {
  t(`with ${name} matches the float64 reference, with dropout too`, () => {
    const random = new Random(8);
    for (const headDim of [4, 18, 33]) check(draw(random, [1, 20, 150], 2, headDim, { terms: termsOf(2, headDim) }), `d=${headDim}`, 2e-5);
    check(draw(random, [5, 90], 2, 16, { terms: termsOf(2, 16), dropout }), 'dropout', 2e-5);
  });
}

t('is right where the scores need a maximum: hundreds, with and without a bias', () => {
  const random = new Random(3);
  const tolerance = 3e-4; // float32 rounds a score of 300 by 2e-5; dQ and dK carry that on, times the scale
  for (const length of [2, 33, 70]) {
    check(draw(random, [length], 2, 8, { scale: 40 }), `scores of hundreds, s=${length}`, tolerance);
    check(draw(random, [length], 2, 8, { scale: 20, relativeBias: random.floats(64, 50) }), `with a bias, s=${length}`, tolerance);
  }
});

t('gives a sequence the same bits whatever stands beside it', () => {
  const random = new Random(4);
  const alone = draw(random, [70], 1, 32);
  const other = draw(random, [33], 1, 32);
  const both = {
    ...alone,
    qkv: Float32Array.of(...alone.qkv, ...other.qkv),
    gradOutput: Float32Array.of(...alone.gradOutput, ...other.gradOutput),
    cuSeqlens: Int32Array.of(0, 70, 103),
  };
  assertSameBits(run(both).qkv.subarray(0, alone.qkv.length), run(alone).qkv, 'dQKV');
});

t('gives one token no gradient of query and key, and its value that of the output', () => {
  const inputs = draw(new Random(5), [1], 2, 9);
  const { qkv } = run(inputs);
  assert.equal([...qkv], [...new Array<number>(36).fill(0), ...inputs.gradOutput]);
});

const golden = {
  'attention-plain': { tolerance: 1e-5, dropout: null },
  'attention-wide': { tolerance: 1e-5, dropout: null },
  'attention-relative': { tolerance: 1e-5, dropout: null },
  'attention-peaked': { tolerance: 5e-5, dropout: null },
  'attention-dropout': { tolerance: 1e-5, dropout: { probability: 0.25, seed: 11, microStep: 3, site: 4 } },
};
for (const [name, { tolerance, dropout }] of Object.entries(golden)) {
  t(`is within ${tolerance} of the golden numbers: ${name}`, async () => {
    const tensors = await readTensors(goldenTraining(`numerics/${name}.safetensors`).pathname);
    const floats = (tensor: string) => Float32Array.from(tensors.get(tensor)!.values);
    const [, heads, headDim] = tensors.get('output')!.dims as [number, number, number];
    const actual = run({
      qkv: floats('qkv'),
      cuSeqlens: Int32Array.from(tensors.get('cu_seqlens')!.values),
      heads,
      headDim,
      scale: 1 / Math.sqrt(headDim),
      relativeBias: tensors.has('table') ? floats('table') : null,
      gradOutput: floats('dy'),
      dropout,
    });
    const expected = { output: 'output', qkv: 'grad.qkv', ...(tensors.has('table') ? { relativeBias: 'grad.table' } : {}) };
    for (const [key, tensor] of Object.entries(expected)) {
      const difference = largestRelativeDifference(actual[key as keyof typeof actual], tensors.get(tensor)!.values);
      assert.ok(difference <= tolerance, `${tensor} is off by ${difference}`);
    }
  });
}

t.run();
