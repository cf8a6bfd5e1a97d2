import path from 'node:path';
import { MAX_CONFIG_BYTES, readTextFile } from '../files.js';
import { parseJsonObject, type JsonObject } from '../json-fields.js';

const CONFIG_FILE = 'config.json';
/** What a head changes of its base's config.json. */
const kFields = ['architectures', 'id2label', 'label2id', 'num_labels', 'problem_type'];

/**
 * What a config.json beside an adapter says of its head: class, labels, problem type. peft writes none; nothing is then known.
 *
 * Errors: CONFIG (no object of JSON).
 */
export async function readAdaptedFields(folder: string): Promise<JsonObject> {
  const text = await readTextFile(path.join(folder, CONFIG_FILE), MAX_CONFIG_BYTES, 'CONFIG');
  if (text === undefined) return {};
  const fields = parseJsonObject(text, `${CONFIG_FILE} of the adapter`, 'CONFIG');
  return Object.fromEntries(Object.entries(fields).filter(([name]) => kFields.includes(name)));
}
