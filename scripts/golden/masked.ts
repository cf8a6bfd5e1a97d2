import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { computeSequences } from '../../src/calls/compute.js';
import { gibbs, maskPredict, type ComputeLogits, type MaskedVocabulary } from '../../src/generation/masked/fill.js';
import { loadModel } from '../../src/models/model.js';
import { readCases } from './files.js';
import type { Report } from './report.js';

/** One text whose masks were filled. */
interface MaskedRow {
  readonly settings: {
    readonly method: 'mask-predict' | 'gibbs';
    readonly iterations?: number;
    readonly sweeps?: number;
    readonly seed?: number;
    readonly temperature?: number;
    readonly top_k?: number;
  };
  readonly input_ids: readonly number[];
  readonly masked: readonly number[];
  readonly ids: readonly number[];
  readonly trace: readonly (readonly number[])[];
  readonly log_probabilities?: readonly number[];
}

/** Whether a folder holds a masked model and what it wrote. */
export function hasMaskedCases(folder: string): boolean {
  const file = join(folder, 'cases.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { task?: string }).task === 'masked-generation';
}

/** Compares what mask-predict and Gibbs sampling write, round by round, and how sure they are. */
export async function compareMasked(folder: string, report: Report): Promise<void> {
  const { generation } = readCases<{ readonly generation: readonly MaskedRow[] }>(folder);
  const model = await loadModel(folder);
  try {
    const { tokenizer, config } = model;
    const special = new Set(tokenizer.specialTokens.map((token) => tokenizer.tokenToId(token)));
    const vocabulary: MaskedVocabulary = { maskId: tokenizer.maskId!, vocabSize: config.vocabSize, isForbidden: (id) => special.has(id) };
    const compute: ComputeLogits = async (texts) =>
      (await computeSequences(model, texts, [model.values.heads.maskedLm!.logits])).map(([rows]) => rows!);
    for (const [i, { settings, input_ids: ids, masked, ...expected }] of generation.entries()) {
      report.sequences++;
      const text = { ids: Int32Array.from(ids), typeIds: new Int32Array(ids.length), masked };
      const { sweeps = 1, seed = 0, temperature = 1, top_k: topK = 0, iterations = 1 } = settings;
      const [written] =
        settings.method === 'gibbs'
          ? await gibbs([text], { sweeps, seed, temperature, topK }, vocabulary, compute)
          : await maskPredict([text], iterations, vocabulary, compute);
      report.compareEqual(`row ${i} ids`, Array.from(written!.ids), expected.ids);
      report.compareEqual(`row ${i} trace`, written!.trace, expected.trace);
      expected.log_probabilities?.forEach((value, m) => {
        const got = written!.logProbabilities![m]!;
        report.compareEqual(
          `row ${i} log-probability ${m}`,
          Math.abs(got - value) <= report.tolerance * Math.max(1, Math.abs(value)),
          true,
        );
      });
    }
  } finally {
    model.dispose();
  }
}
