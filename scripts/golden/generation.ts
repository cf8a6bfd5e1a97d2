import { join } from 'node:path';
import { loadModel, type ForwardResult, type Model, type ModelTensor } from '../../src/models/index.js';
import { nativeEngine } from '../../src/generation/native-engine.js';
import { compareTexts, type GenerationRow } from './generated-texts.js';
import { readCases, readTensors, type GoldenTensor } from './files.js';
import type { Report } from './report.js';

/** One case of teacher forcing: what the decoder reads, and behind an encoder the text it reads beside it. */
export interface ForcedCase {
  readonly id: string;
  readonly text: string;
  readonly decoder_input_ids: readonly number[];
  /** Absent where the model is a decoder alone. */
  readonly input_ids?: readonly number[];
}

/** cases.json of a model that writes. */
export interface GenerationCases {
  readonly model: string;
  readonly class: string;
  readonly cases: readonly ForcedCase[];
  readonly texts: readonly string[];
  readonly generation: readonly GenerationRow[];
}

type Tensors = ReadonlyMap<string, GoldenTensor>;

/** A model that writes: its decoder on given ids, layer by layer. */
export async function compareGeneration(path: string, report: Report): Promise<void> {
  const { cases, generation, texts } = readCases<GenerationCases>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const model = await loadModel(path, report.load);
  try {
    const results = await forced(model, cases);
    cases.forEach(({ id, text, input_ids: ids }, i) => {
      report.compare(`logits.${id}`, results[i]!.logits?.data, expected.get(`logits.${id}`)!);
      const states = expected.get(`encoder_last_hidden_state.${id}`);
      if (states !== undefined) report.compare(`encoder_last_hidden_state.${id}`, results[i]!.lastHiddenState.data, states);
      if (ids === undefined) return;
      report.sequences++;
      const encoded = model.tokenizer.encode(text, { truncation: false }); // as the reference
      report.compareEqual(`${id} ids`, Array.from(encoded.ids), ids);
    });
    for (const each of cases) await compareLayers(model, each, expected, report);
    for (const row of generation) {
      report.answers++;
      report.failures.push(...(await compareTexts(model, nativeEngine(model), row, texts)));
    }
  } finally {
    model.dispose();
  }
}

/** Every case in one batch. */
function forced(model: Model, cases: readonly ForcedCase[]): Promise<ForwardResult[]> {
  const decoderInputIds = cases.map((each) => Int32Array.from(each.decoder_input_ids));
  if (model.config.decoder === undefined) return model.forward(decoderInputIds.map((ids) => ({ ids })));
  return model.forward(
    cases.map(({ input_ids: ids }) => ({ ids: Int32Array.from(ids!) })),
    { decoderInputIds },
  );
}

/** Every layer of a case whose hidden states are in the file. It runs alone. */
async function compareLayers(model: Model, { id, ...each }: ForcedCase, expected: Tensors, report: Report): Promise<void> {
  if (!expected.has(`hidden.${id}.0`)) return;
  const decoderInputIds = Int32Array.from(each.decoder_input_ids);
  const wanted = { hiddenStates: true, attentions: true };
  const alone = model.config.decoder === undefined;
  const input = { ids: alone ? decoderInputIds : Int32Array.from(each.input_ids!) };
  const result = await model.forward(input, alone ? wanted : { ...wanted, decoderInputIds, crossAttentions: true });
  const compareAll = (what: string, actual: readonly ModelTensor[] | undefined): void => {
    const names = [...expected.keys()].filter((name) => name.startsWith(`${what}.${id}.`));
    if (names.length !== (actual ?? []).length)
      report.failures.push(`${what}.${id}: expected ${names.length} layers but received ${actual?.length}`);
    names.forEach((_, layer) => report.compare(`${what}.${id}.${layer}`, actual?.[layer]?.data, expected.get(`${what}.${id}.${layer}`)!));
  };
  compareAll('hidden', alone ? result.hiddenStates : result.decoderHiddenStates);
  compareAll('attention', alone ? result.attentions : result.decoderAttentions);
  compareAll('cross_attention', result.crossAttentions);
}
