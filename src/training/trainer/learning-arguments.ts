import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { LoraOptions } from '../lora/lora.js';
import type { LearningOptions } from '../program/learning-model.js';

/** The training arguments that say how a model learns, whatever it learns. */
export function learningArguments(args: TrainingArguments): Omit<LearningOptions, 'task'> {
  return {
    labelSmoothing: args.labelSmoothingFactor,
    seed: args.seed,
    freeze: args.freeze,
    bitfit: args.bitfit,
    lora: args.lora as LoraOptions | undefined,
    threads: args.threads,
    precision: args.bf16 ? 'bf16' : 'fp32',
    recompute: args.gradientCheckpointing,
  };
}
