import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { MAX_CONFIG_BYTES, readTextFile } from '../files.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';

/** What adapter_config.json of a LoRA adapter says; peft's fields. */
export interface AdapterConfig {
  /** The model it was trained on, as its author named it; '' where the file does not say. */
  readonly base: string;
  readonly taskType: string | undefined;
  /** What the product of B and A of a module is multiplied by, for its rank. */
  scaleOf(module: string, rank: number): number;
}

const CONFIG_FILE = 'adapter_config.json';
/** Fields that change what an adapter computes, and the value with which they change nothing. */
const kNeutral: Readonly<Record<string, unknown>> = {
  use_dora: false,
  fan_in_fan_out: false,
  lora_bias: false,
  use_qalora: false,
  use_bdlora: null,
  alora_invocation_tokens: null,
  layer_replication: null,
  trainable_token_indices: null,
  target_parameters: null,
};

/**
 * Reads adapter_config.json of a folder.
 *
 * Errors: MODEL_NOT_FOUND (no adapter), UNSAFE_FORMAT (only adapter_model.bin), CONFIG, CONFIG_UNSUPPORTED (DoRA, IA3 and others than LoRA).
 */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const text = await readTextFile(path.join(folder, CONFIG_FILE), MAX_CONFIG_BYTES, 'CONFIG');
  const names = await readdir(folder).catch(() => [] as string[]);
  if (text === undefined) {
    const present = names.length === 0 ? 'no such directory, or an empty one' : names.slice(0, 20).map(quote).join(', ');
    throw unexpected('MODEL_NOT_FOUND', `${CONFIG_FILE} in the adapter ${quotePath(folder)}`, present);
  }
  const fields = new JsonFields(parseJsonObject(text, CONFIG_FILE, 'CONFIG'), CONFIG_FILE, 'CONFIG');
  const kind = fields.string('peft_type');
  if (kind !== 'LORA') throw fields.error('peft_type', '"LORA"', kind, 'CONFIG_UNSUPPORTED');
  for (const [key, neutral] of Object.entries(kNeutral)) {
    const value = fields.get(key);
    if (value !== undefined && value !== neutral) throw fields.error(key, `${String(neutral)} (plain LoRA)`, value, 'CONFIG_UNSUPPORTED');
  }
  if (!names.includes('adapter_model.safetensors') && names.includes('adapter_model.bin')) {
    const hint = 'To convert it, where you trust the file: load it in peft and call save_pretrained(folder, safe_serialization=True).';
    const got = '"adapter_model.bin": loading a pickle can run any code, so Bertha never does';
    throw unexpected('UNSAFE_FORMAT', `adapter_model.safetensors in ${quotePath(folder)}`, got, { hint });
  }
  const alpha = readAlpha(fields);
  const isRooted = fields.boolean('use_rslora') ?? false;
  return {
    base: fields.string('base_model_name_or_path') ?? '',
    taskType: fields.string('task_type'),
    scaleOf: (module, rank) => alpha(module) / (isRooted ? Math.sqrt(rank) : rank),
  };
}

/** `lora_alpha`, or for some modules what `alpha_pattern` says: its keys are the ends of names, or patterns of them. */
function readAlpha(fields: JsonFields): (module: string) => number {
  const alpha = fields.get('lora_alpha') ?? 8;
  if (typeof alpha !== 'number') throw fields.error('lora_alpha', 'a number', alpha);
  const patterns = Object.entries(fields.object('alpha_pattern') ?? {}).map(([key, value]) => {
    if (typeof value !== 'number') throw fields.error('alpha_pattern', 'numbers', value);
    return { matches: new RegExp(`^(.*\\.)?(${key})$`), value };
  });
  return (module) => patterns.find(({ matches }) => matches.test(module))?.value ?? alpha;
}
