import type { Program } from '../../models/program/program.js';
import type { NativeOp, NativeTrainingProgram, NativeTrainingWeight, NativeWeight } from '../../runtime/native.js';
import type { TrainingModel } from './build-training.js';

/** Weights of several models, each of the encoder there once. */
class SharedWeights {
  readonly specs: Program['weights'][number][] = [];
  readonly native: NativeWeight[] = [];
  readonly learning: NativeTrainingWeight[] = [];
  readonly #encoders = new Map<string, number>();

  /** Adds a model's; returns their numbers here by their own. */
  add({ live, program, encoderPrefix }: TrainingModel): readonly number[] {
    const numbers: number[] = [];
    live.program.weights.forEach((spec, id) => {
      const key = spec.name.startsWith(encoderPrefix) ? `${spec.kind} ${spec.name}` : undefined;
      const known = key === undefined ? undefined : this.#encoders.get(key);
      numbers.push(known ?? this.specs.length);
      if (known !== undefined) return;
      if (key !== undefined) this.#encoders.set(key, this.specs.length);
      const { tiedTo, ...how } = program.training.weights[id]!;
      this.specs.push(spec);
      this.native.push(program.weights[id]!);
      this.learning.push({ ...how, ...(tiedTo === undefined ? {} : { tiedTo: numbers[tiedTo]! }) });
    });
    return numbers;
  }
}

/**
 * Models of one directory, each with a head, as programs over one list of weights, which holds the encoder's once and each head's for itself. The first
 * one's program is to be loaded: the others are within it.
 */
export function shareWeights(models: readonly TrainingModel[]): TrainingModel[] {
  const weights = new SharedWeights();
  const numbers = models.map((model) => weights.add(model));
  const programs = models.map(({ program }, i) => ({ ...renumbered(program, numbers[i]!), weights: weights.native }));
  const [, ...others] = programs.map(({ training: { sequencesPerGroup }, ...program }) => ({ ...program, sequencesPerGroup }));
  return models.map((model, i) => ({
    ...model,
    program: withOthers(programs[i]!, weights.learning, others),
    live: { ...model.live, program: { ...renumbered(model.live.program, numbers[i]!), weights: weights.specs } },
    weights: model.weights.map(({ id, tiedTo, ...weight }) => ({
      ...weight,
      id: numbers[i]![id]!,
      ...(tiedTo === undefined ? {} : { tiedTo: numbers[i]![tiedTo]! }),
    })),
    initialValues: new Map([...model.initialValues].map(([id, values]) => [numbers[i]![id]!, values])),
    adapted: model.adapted.map((layer) => ({ ...layer, a: numbers[i]![layer.a]!, b: numbers[i]![layer.b]! })),
  }));
}

function withOthers(
  program: NativeTrainingProgram,
  weights: readonly NativeTrainingWeight[],
  others: NativeTrainingProgram['training']['others'],
): NativeTrainingProgram {
  return { ...program, training: { ...program.training, weights, others } };
}

function renumbered<P extends Pick<Program, 'ops'>>(program: P, numbers: readonly number[]): P {
  return { ...program, ops: program.ops.map((op) => withWeights(op, (id) => numbers[id]!)) };
}

/** An op that reads other weights. */
function withWeights(op: NativeOp, numberOf: (id: number) => number): NativeOp {
  const maybe = (id: number | undefined): number | undefined => (id === undefined ? undefined : numberOf(id));
  switch (op.op) {
    case 'embed':
      return { ...op, word: numberOf(op.word), position: maybe(op.position), type: maybe(op.type) };
    case 'constant':
      return { ...op, table: numberOf(op.table) };
    case 'pool_linear':
      return { ...op, matrix: numberOf(op.matrix), bias: maybe(op.bias) };
    case 'linear':
      return { ...op, matrix: numberOf(op.matrix), bias: maybe(op.bias), inputScale: maybe(op.inputScale) };
    case 'attention':
      return { ...op, relativeBias: maybe(op.relativeBias) };
    case 'layer_norm':
      return { ...op, weight: numberOf(op.weight), bias: maybe(op.bias) };
    default:
      return op;
  }
}
