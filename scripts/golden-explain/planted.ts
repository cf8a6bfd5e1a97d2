// The classifier of which every answer hangs on one word: how often a method names it first, and what random layers give.
import { join } from 'node:path';
import { attention } from '../../src/explain/attention/attention.js';
import { attentionRollout } from '../../src/explain/attention/rollout.js';
import { explain, type AttributionMethod, type ExplainOptions } from '../../src/explain/index.js';
import { loadModel, type Model } from '../../src/index.js';
import { Golden, type Line } from './read.js';

interface PlantedCase {
  readonly text: string;
  /** The token of the word. */
  readonly planted: number;
  readonly target: { readonly label: number };
}

interface Planted {
  readonly cases: readonly PlantedCase[];
  readonly planted_first: Readonly<Record<string, number>>;
}

/** Shares from which methods pass; gradient × input is reported alone. */
const kLeast: Readonly<Record<string, number>> = { 'integrated-gradients': 0.99, occlusion: 0.99, shapley: 0.99 };

/** How often each method names the word first, of the first `most` texts. */
export async function* checkPlanted(root: string, most = Infinity): AsyncGenerator<Line> {
  const golden = new Golden(join(root, 'planted'));
  const { cases: all, planted_first: reference } = golden.json<Planted>('cases.json');
  const cases = all.slice(0, most);
  const model = await loadModel(golden.directory);
  try {
    const methods: readonly (readonly [AttributionMethod, ExplainOptions])[] = [
      ['integrated-gradients', {}],
      ['occlusion', {}],
      ['shapley', { pairs: 4 }],
      ['gradient-norm', {}],
      ['gradient-x-input', {}],
    ];
    for (const [method, options] of methods) {
      let first = 0;
      for (const { text, planted, target } of cases) {
        const { tokens } = await explain(model, text, { ...options, method, units: 'words', target: { label: target.label } });
        const values = tokens.map(({ value = 0, special }) => (special ? -Infinity : value));
        if (values.indexOf(Math.max(...values)) === planted) first++;
      }
      const share = first / cases.length;
      const least = kLeast[method];
      const gate = least === undefined ? 'not gated' : `at least ${least}`;
      yield {
        name: method,
        ok: share >= (least ?? 0),
        text: `first in ${first} of ${cases.length} texts, ${gate}; reference ${reference[method]}`,
      };
    }
    yield await rolloutShare(model, cases, reference['rollout-of-cls']!);
  } finally {
    model.dispose();
  }
}

async function rolloutShare(model: Model, cases: readonly PlantedCase[], reference: number): Promise<Line> {
  let first = 0;
  for (const { text, planted } of cases) {
    const seen = await attention(model, text);
    const row = Array.from(attentionRollout(seen).data.subarray(0, seen.tokens.length), (value, i) =>
      seen.tokens[i]!.special ? -1 : value,
    );
    if (row.indexOf(Math.max(...row)) === planted) first++;
  }
  return { name: 'rollout of [CLS]', ok: true, text: `first in ${first} of ${cases.length} texts, not gated; reference ${reference}` };
}
