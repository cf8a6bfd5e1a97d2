import path from 'node:path';
import { readCases, readTensors, type GoldenSequence, type TinyCases } from '../../scripts/golden/files.js';
import { compareHeadTensors } from '../../scripts/golden/head-tensors.js';
import { Report } from '../../scripts/golden/report.js';
import { buildModel } from '../../src/models/build-model.js';
import { loadSession } from '../../src/models/load-session.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { Model } from '../../src/models/model.js';
import type { Tokenizer } from '../../src/tokenizer/index.js';

const toIds = ({ input_ids: ids, token_type_ids: types }: GoldenSequence) => ({
  ids: Int32Array.from(ids),
  ...(types === undefined ? {} : { typeIds: Int32Array.from(types) }),
});

/** Compares what a model's program makes of given ids with a folder's reference values: all but its tokenizer, which is not looked at. */
export async function compareProgram(folder: string, tolerance: number): Promise<Report> {
  const report = new Report(path.basename(folder), tolerance);
  const directory = await openModelDirectory(folder);
  const built = buildModel(directory, { heads: true });
  const model = new Model(directory, built, {} as Tokenizer, await loadSession(directory, built.program, {}));
  try {
    const golden = readCases<TinyCases>(folder);
    const expected = await readTensors(path.join(folder, 'expected.safetensors'));
    for (const { id, sequences } of golden.cases) {
      for (const [i, sequence] of sequences.entries()) {
        const name = sequences.length === 1 ? id : `${id}#${i}`;
        const result = await model.forward(toIds(sequence), { hiddenStates: true, attentions: true });
        const compare = (what: string, actual: Float32Array | undefined): void => {
          const values = expected.get(what);
          if (values !== undefined) report.compare(what, actual, values);
        };
        compare(`last_hidden_state.${name}`, result.lastHiddenState.data);
        compare(`pooler_output.${name}`, result.poolerOutput?.data);
        result.hiddenStates!.forEach(({ data }, layer) => compare(`hidden.${name}.${layer}`, data));
        result.attentions!.forEach(({ data }, layer) => compare(`attention.${name}.${layer}`, data));
      }
    }
    await compareHeadTensors(model, golden, expected, report);
    return report;
  } finally {
    model.dispose();
    await directory.close();
  }
}
