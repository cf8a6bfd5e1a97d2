import type { JsonObject } from '../../checkpoint/json-fields.js';
import type { LoraSettings } from './lora.js';
import type { TrainingTask } from '../program/tasks.js';

/** What peft calls the tasks that it knows. */
const kTaskTypes: Readonly<Partial<Record<TrainingTask, string>>> = {
  'text-classification': 'SEQ_CLS',
  'cross-encoder': 'SEQ_CLS',
  'token-classification': 'TOKEN_CLS',
  'question-answering': 'QUESTION_ANS',
  'sentence-embedding': 'FEATURE_EXTRACTION',
};

/** adapter_config.json as peft 0.21 reads it. */
export function adapterConfig(lora: LoraSettings, task: TrainingTask, base: string): JsonObject {
  return {
    base_model_name_or_path: base,
    bias: lora.bias,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: lora.loraAlpha,
    lora_dropout: lora.loraDropout,
    modules_to_save: lora.modulesToSave.length === 0 ? null : lora.modulesToSave,
    peft_type: 'LORA',
    r: lora.r,
    target_modules: lora.targetModules,
    task_type: kTaskTypes[task] ?? null,
    use_dora: false,
    use_rslora: lora.useRslora,
  };
}

/** What peft calls a tensor in adapter_model.safetensors, by its name in transformers: biases of adapted layers are `base_layer`'s. */
export function adapterName(name: string, adapted: ReadonlySet<string>): string {
  const module = name.replace(/\.bias$/, '');
  return `base_model.model.${name.endsWith('.bias') && adapted.has(module) ? `${module}.base_layer.bias` : name}`;
}
