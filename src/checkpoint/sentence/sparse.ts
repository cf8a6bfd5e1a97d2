import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';
import { moduleFile, readModuleFile, type ModuleEntry } from './module-entry.js';

/** How a SPLADE model makes a vector of its words' logits (sentence-transformers' SpladePooling). */
export interface SpladeConfig {
  /** The sum over the tokens of log(1 + max(x, 0)); else the largest. */
  readonly sums: boolean;
  /** 2: the logarithm is taken twice (`log1p_relu`). */
  readonly logs: 1 | 2;
}

/** The module that follows a masked-word model in one of sparse vectors. */
export const kSpladePooling = 'SpladePooling';

/** Reads a SpladePooling module, the last of a model. Errors: CONFIG, CONFIG_UNSUPPORTED, LFS_POINTER, IO. */
export async function readSplade(directory: string, [entry, next]: readonly ModuleEntry[]): Promise<SpladeConfig> {
  if (next !== undefined) throw unexpected('CONFIG_UNSUPPORTED', `${kSpladePooling} as the last module`, `${quote(next.kind)} after it`);
  const file = moduleFile(entry!, 'config.json');
  const text = await readModuleFile(directory, file, 'CONFIG');
  const fields = new JsonFields(parseJsonObject(text ?? '{}', file, 'CONFIG'), file, 'CONFIG');
  const pooling = fields.string('pooling_strategy') ?? 'max';
  if (pooling !== 'max' && pooling !== 'sum') throw fields.error('pooling_strategy', '"max" or "sum"', pooling, 'CONFIG_UNSUPPORTED');
  const activation = fields.string('activation_function') ?? 'relu';
  if (activation !== 'relu' && activation !== 'log1p_relu') {
    throw fields.error('activation_function', '"relu" or "log1p_relu"', activation, 'CONFIG_UNSUPPORTED');
  }
  return { sums: pooling === 'sum', logs: activation === 'relu' ? 1 : 2 };
}
