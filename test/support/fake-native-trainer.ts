import { loadAddon } from '../../src/runtime/addon.js';
import type { NativeModel, NativeProgram, NativeTrainer, NativeTrainingProgram } from '../../src/runtime/native.js';

/**
 * Lets the addon make trainers that compute nothing: weights are rows of small numbers in JavaScript, a step multiplies them by 0.999, logits are
 * 0. For what stands around a trainer: data, labels, names, files. Returns what takes it back.
 */
export function fakeNativeTrainers(): () => void {
  const addon = loadAddon() as unknown as { loadTrainer?: (program: NativeTrainingProgram) => Promise<NativeTrainer> };
  const own = addon.loadTrainer;
  addon.loadTrainer = (program) => Promise.resolve(trainerOf(program));
  return () => {
    if (own === undefined) delete addon.loadTrainer;
    else addon.loadTrainer = own;
  };
}

function trainerOf(program: NativeTrainingProgram): NativeTrainer {
  const cols = program.weights.map((weight) => weight.cols);
  const values = program.weights.map(({ rows, cols }, id) =>
    Float32Array.from({ length: rows * cols }, (_, i) => (((i * 37 + id) % 101) - 50) / 1000),
  );
  const done = { loss: 0.5, losses: [0.5], gradNorm: 1, tokens: 1, computeMs: 1, outputs: [] };
  const trainer = {
    step: () => {
      for (const each of values) each.forEach((value, i) => (each[i] = value * 0.999));
      return Promise.resolve(done);
    },
    read: (weight: number, kind: string, begin: number, end: number) =>
      Promise.resolve(
        kind === 'value'
          ? values[weight]!.slice(begin * cols[weight]!, end * cols[weight]!)
          : new Float32Array((end - begin) * cols[weight]!),
      ),
    write: (weight: number, kind: string, begin: number, given: Float32Array) => {
      if (kind === 'value') values[weight]!.set(given, begin * cols[weight]!);
      return Promise.resolve();
    },
    liveModel: liveOf,
    snapshot: (program: NativeProgram) => Promise.resolve(liveOf(program)),
    memoryUsage: () => ({ weights: 1, workspaces: 1 }),
    cancel: () => undefined,
    dispose: () => undefined,
  };
  return trainer as unknown as NativeTrainer;
}

function liveOf(program: NativeProgram): NativeModel {
  const model = {
    run(batch: {
      readonly inputIds: Int32Array;
      readonly cuSeqlens: Int32Array;
      readonly selected?: Int32Array;
      readonly outputs: Int32Array;
    }) {
      const outputs = Array.from(batch.outputs, (id) => {
        const { width, rows } = program.values[id]!;
        const counts: Record<string, number> = {
          tokens: batch.inputIds.length,
          sequences: batch.cuSeqlens.length - 1,
          selected: batch.selected?.length ?? 0,
        };
        return new Float32Array(width * counts[rows]!);
      });
      return Promise.resolve({ outputs, queuedMs: 0, computeMs: 0 });
    },
    cancel: () => undefined,
    dispose: () => undefined,
    memoryUsage: () => ({ weights: 1, workspaces: 1, users: 1 }),
  };
  return model as unknown as NativeModel;
}
