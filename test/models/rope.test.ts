// Inverse frequencies of rotary embeddings: bit for bit what transformers computes in float32.
import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/architectures/config.js';
import { inverseFrequencies } from '../../src/architectures/rope.js';
import { suite } from '../support/suite.js';

const t = suite('rope');
const folder = new URL('../golden-families/tiny/', import.meta.url);
const json = (name: string): Record<string, unknown> => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>;

/** The base of each entry of a case's `inv_freq`, as its config.json has it. */
function thetas(raw: Record<string, unknown>): Record<string, number> {
  const parameters = (raw['rope_parameters'] ?? {}) as Record<string, { rope_theta: number }> & { rope_theta?: number };
  const { full_attention: full, sliding_attention: sliding } = parameters;
  if (full !== undefined) return { full_attention: full.rope_theta, sliding_attention: sliding!.rope_theta };
  return { all: parameters.rope_theta ?? (raw['rope_theta'] as number) };
}

t('are those that the reference models computed with', () => {
  let compared = 0;
  for (const name of readdirSync(folder)) {
    const expected = json(`${name}/cases.json`)['inv_freq'] as Record<string, number[]> | undefined;
    if (expected === undefined) continue;
    const { headDim, raw } = parseConfig(JSON.stringify(json(`${name}/config.json`)));
    for (const [kind, theta] of Object.entries(thetas(raw))) {
      assert.equal(inverseFrequencies({ theta, factor: 1, isDynamic: false }, headDim), expected[kind], `${name} ${kind}`);
      compared++;
    }
  }
  assert.ok(compared >= 6);
});

t('are stretched by ntk as the published code of GTE stretches them', () => {
  // 1 / (θf)^(2i/64) / f^(2/64) by torch 2.13 in float32, θ = 10000, f = 8.
  const expected = [0.9370837807655334, 0.6585016250610352, 0.4627380967140198, 0.32517242431640625, 0.22850312292575836];
  assert.equal(inverseFrequencies({ theta: 10000, factor: 8, isDynamic: false }, 64).slice(0, 5), expected);
});

t.run();
