import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { MAX_CONFIG_BYTES, readTextFile } from '../files.js';
import { isJsonObject, JsonFields, parseJsonObject } from '../json-fields.js';

/** What adapter_config.json of a LoRA adapter says; peft's fields. */
export interface AdapterConfig {
  /** The model it was trained on, as its author named it; '' where the file does not say. */
  readonly base: string;
  /** peft's name of the task, or the class of transformers that the adapter was trained with. */
  readonly taskType: string | undefined;
  readonly className: string | undefined;
  /** What the product of B and A of a module is multiplied by, for its rank. */
  scaleOf(module: string, rank: number): number;
}

const CONFIG_FILE = 'adapter_config.json';
/** Fields that are read here, and those that the tensors answer or that only training asks for. */
const kKnown = new Set(
  `peft_type base_model_name_or_path task_type auto_mapping lora_alpha alpha_pattern use_rslora init_lora_weights
  r rank_pattern target_modules exclude_modules layers_to_transform layers_pattern modules_to_save bias lora_dropout
  inference_mode peft_version revision megatron_core qalora_group_size ensure_weight_tying runtime_config
  loftq_config eva_config corda_config lora_ga_config`.split(/\s+/),
);
/** Ways to begin that leave the base's weights as they are; others take a part out of them, which the adapter alone cannot know. */
const kPlainStarts: readonly unknown[] = [undefined, true, false, 'gaussian', 'eva', 'mica', 'orthogonal'];

/**
 * Reads adapter_config.json of a folder.
 *
 * Errors: MODEL_NOT_FOUND (no adapter), CONFIG, CONFIG_UNSUPPORTED (DoRA, IA3, and whatever else than plain
 * LoRA changes what is computed: the field is named).
 */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const text = await readTextFile(path.join(folder, CONFIG_FILE), MAX_CONFIG_BYTES, 'CONFIG');
  if (text === undefined) {
    const names = await readdir(folder).catch(() => [] as string[]);
    const present = names.length === 0 ? 'no such directory, or an empty one' : names.slice(0, 20).map(quote).join(', ');
    throw unexpected('MODEL_NOT_FOUND', `${CONFIG_FILE} in the adapter ${quotePath(folder)}`, present);
  }
  const fields = new JsonFields(parseJsonObject(text, CONFIG_FILE, 'CONFIG'), CONFIG_FILE, 'CONFIG');
  requirePlainLora(fields);
  const alpha = readAlpha(fields);
  const isRooted = fields.boolean('use_rslora') ?? false;
  const className = fields.object('auto_mapping')?.['base_model_class'];
  return {
    base: fields.string('base_model_name_or_path') ?? '',
    taskType: fields.string('task_type'),
    className: typeof className === 'string' ? className : undefined,
    scaleOf: (module, rank) => alpha(module) / (isRooted ? Math.sqrt(rank) : rank),
  };
}

/** Errors: CONFIG_UNSUPPORTED for a field that changes what is computed, known or not, unless it is off. */
function requirePlainLora(fields: JsonFields): void {
  const kind = fields.string('peft_type');
  if (kind !== 'LORA') throw fields.error('peft_type', '"LORA"', kind, 'CONFIG_UNSUPPORTED');
  for (const key of fields.keys()) {
    const value = fields.get(key);
    if (kKnown.has(key) || isOff(value)) continue;
    throw fields.error(key, 'false or null (plain LoRA)', value, 'CONFIG_UNSUPPORTED');
  }
  const start = fields.get('init_lora_weights');
  if (kPlainStarts.includes(start)) return;
  const expected = 'true, or the name of a start that keeps the weights of the base ("gaussian", "eva", "mica", "orthogonal")';
  throw fields.error('init_lora_weights', expected, start, 'CONFIG_UNSUPPORTED');
}

function isOff(value: unknown): boolean {
  if (isJsonObject(value)) return Object.keys(value).length === 0;
  return value === false || (Array.isArray(value) && value.length === 0);
}

/** `lora_alpha`, or for some modules what `alpha_pattern` says: its keys are the ends of names, or patterns of them. */
function readAlpha(fields: JsonFields): (module: string) => number {
  const alpha = fields.get('lora_alpha') ?? 8;
  if (typeof alpha !== 'number') throw fields.error('lora_alpha', 'a number', alpha);
  const patterns = Object.entries(fields.object('alpha_pattern') ?? {}).map(([key, value]) => {
    if (typeof value !== 'number') throw fields.error('alpha_pattern', 'numbers', value);
    return { matches: patternOf(key, fields), value };
  });
  return (module) => patterns.find(({ matches }) => matches.test(module))?.value ?? alpha;
}

function patternOf(key: string, fields: JsonFields): RegExp {
  try {
    return new RegExp(`^(.*\\.)?(${key})$`);
  } catch {
    throw fields.error('alpha_pattern', 'patterns that JavaScript knows as well as Python', key, 'CONFIG_UNSUPPORTED');
  }
}
