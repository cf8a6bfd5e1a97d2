import type { Family } from '../../architectures/family.js';
import { unexpected } from '../../expected.js';

/** Learning low-rank changes of linear layers (Hu et al., 2021): y = W x + scale · B A x. Names and defaults of peft's LoraConfig. */
export interface LoraOptions {
  /** Rank. Default 8. */
  readonly r?: number | undefined;
  /** Default 8. */
  readonly loraAlpha?: number | undefined;
  /** Dropout of x in front of A. Default 0. */
  readonly loraDropout?: number | undefined;
  /** Ends of the names of layers ('query', 'value', 'dense'), or all of the encoder's. Default: query and value. */
  readonly targetModules?: readonly string[] | 'all-linear' | undefined;
  /** scale = alpha / √r instead of alpha / r. Default false. */
  readonly useRslora?: boolean | undefined;
  /** Which biases learn: none, those of the adapted layers, all. Default 'none'. */
  readonly bias?: 'none' | 'lora_only' | 'all' | undefined;
  /** Names of modules that learn in full and are saved with the adapter, besides the head and what is new. */
  readonly modulesToSave?: readonly string[] | undefined;
}

/** The options with peft's defaults. */
export type LoraSettings = Required<{ [K in keyof LoraOptions]: Exclude<LoraOptions[K], undefined> }>;

/** Fills in defaults. Errors: INVALID_OPTION. */
export function loraSettings(options: LoraOptions, { loraTargets }: Family): LoraSettings {
  const { r = 8, loraAlpha = 8, loraDropout = 0, useRslora = false, bias = 'none' } = options;
  if (!Number.isInteger(r) || r < 1) throw unexpected('INVALID_OPTION', 'a positive integer for lora.r', String(r));
  if (!(loraAlpha > 0)) throw unexpected('INVALID_OPTION', 'a positive number for lora.loraAlpha', String(loraAlpha));
  if (!(loraDropout >= 0 && loraDropout < 1)) {
    throw unexpected('INVALID_OPTION', 'a number from 0 to below 1 for lora.loraDropout', String(loraDropout));
  }
  const targetModules = options.targetModules ?? loraTargets;
  return { r, loraAlpha, loraDropout, useRslora, bias, targetModules, modulesToSave: options.modulesToSave ?? [] };
}

/** What the product of B and A is multiplied by. */
export function loraScale({ r, loraAlpha, useRslora }: Pick<LoraSettings, 'r' | 'loraAlpha' | 'useRslora'>): number {
  return useRslora ? loraAlpha / Math.sqrt(r) : loraAlpha / r;
}

/** Whether a module is one of `targets`, by its full name: the same, or the last parts of it. */
export function isTarget(module: string, targets: readonly string[]): boolean {
  return targets.some((target) => module === target || module.endsWith(`.${target}`));
}

/** Whether a tensor belongs to one of `modules`, which any part of its name may be. */
export function isInModule(tensor: string, modules: readonly string[]): boolean {
  const parts = `.${tensor}`;
  return modules.some((module) => parts.includes(`.${module}.`));
}
