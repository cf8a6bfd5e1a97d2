import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { resolveInside } from '../files.js';
import { isJsonObject, JsonFields, parseJson } from '../json-fields.js';
import { readModuleFile, reasonAgainst, type ModuleEntry } from './module-entry.js';
import { readRoutes } from './router.js';

export { moduleFile, readModuleFile, reasonAgainst, type ModuleEntry } from './module-entry.js';

/** The modules of a sentence-transformers directory. */
export interface ModuleList {
  /** As far as they could be read. */
  readonly entries: readonly ModuleEntry[];
  /** Why the list cannot be followed. Whoever wants sentence vectors throws it; heads and the encoder do without the list. */
  readonly error?: BerthaError;
  /** What queries go through, where a Router sends them another way than documents, whose way `entries` are. */
  readonly query?: readonly ModuleEntry[];
}

const MODULES_FILE = 'modules.json';
const kMaxModules = 64;
/** What a list may begin with. */
const kFirst = ['Transformer', 'MLMTransformer', 'StaticEmbedding'];
/** What is wrong with a whole directory, not with what its modules ask for. */
const kFatalCodes = ['IO', 'INDEX_PATH', 'LFS_POINTER', 'OUT_OF_MEMORY'];

/**
 * The module list of a sentence-transformers directory, or undefined where there is none. `directory` is a real path. A list that makes no
 * sense, or has modules that are not sentence-transformers' own, has its reason in `error`.
 *
 * Errors: INDEX_PATH (a path that leaves the directory), LFS_POINTER, IO.
 */
export async function readModules(directory: string): Promise<ModuleList | undefined> {
  const entries: ModuleEntry[] = [];
  let query: readonly ModuleEntry[] | undefined;
  const attempt = await settle(async () => {
    const text = await readModuleFile(directory, MODULES_FILE, 'CONFIG');
    if (text === undefined) return false;
    const list = parseJson(text, MODULES_FILE, 'CONFIG');
    if (!Array.isArray(list) || list.length === 0 || list.length > kMaxModules) {
      throw unexpected('CONFIG', `an array of 1..${kMaxModules} modules for ${MODULES_FILE}`, 'something else');
    }
    const paths = list.map((item) => (isJsonObject(item) && typeof item['path'] === 'string' ? item['path'] : ''));
    for (const folder of paths) await resolveInside(directory, folder, MODULES_FILE);
    list.forEach((item: unknown, i) => entries.push(readEntry(item, paths[i]!)));
    if (entries.length === 1 && entries[0]!.kind === 'Router') {
      const routes = await readRoutes(directory, entries[0]!);
      entries.splice(0, 1, ...routes.document);
      query = routes.query;
    }
    if (kFirst.includes(entries[0]?.kind ?? '')) return true;
    throw unexpected(
      'CONFIG_UNSUPPORTED',
      `a Transformer or a ${kStatic} as first module of ${MODULES_FILE}`,
      quote(entries[0]?.kind ?? ''),
      reasonAgainst(entries[0]?.kind),
    );
  });
  if (attempt instanceof BerthaError) return { entries, error: attempt };
  return attempt ? { entries, ...(query && { query }) } : undefined;
}

/** sentence-transformers' module of a table of vectors without an encoder. */
const kStatic = 'StaticEmbedding';

/** Whether a module is an encoder, with or without a head over its words. */
export const isEncoder = (kind: string | undefined): boolean => kind === 'Transformer' || kind === 'MLMTransformer';

/** Whether the list begins with a table of vectors instead of an encoder. */
export function isStatic(modules: ModuleList | undefined): boolean {
  return modules?.entries[0]?.kind === kStatic;
}

/** The list that a directory of model2vec without modules.json means; undefined for another directory. Errors: LFS_POINTER, IO. */
export async function readModel2Vec(directory: string): Promise<ModuleList | undefined> {
  const text = await readModuleFile(directory, 'config.json', 'CONFIG').catch(() => undefined);
  if (text?.includes('"model2vec"') !== true) return undefined;
  const config = await settle(async () => parseJson(text, 'config.json', 'CONFIG'));
  if (!isJsonObject(config) || config['model_type'] !== 'model2vec') return undefined;
  const normalizes = config['normalize'] === true;
  return { entries: [{ kind: kStatic, path: '' }, ...(normalizes ? [{ kind: 'Normalize', path: '' }] : [])] };
}

/** Where the list puts the encoder: early directories keep it in `0_Transformer`. The root where the list does not say. */
export function transformerFolder(modules: ModuleList | undefined): string {
  return modules?.entries.find(({ kind }) => isEncoder(kind) || kind === kStatic)?.path ?? '';
}

/** What `read` resolves to, or the error that only those need to hear who follow the modules. Other errors reject. */
export async function settle<T>(read: () => Promise<T>): Promise<T | BerthaError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BerthaError && !kFatalCodes.includes(error.code)) return error;
    throw error;
  }
}

function readEntry(item: unknown, folder: string): ModuleEntry {
  if (!isJsonObject(item)) throw unexpected('CONFIG', `an object for each entry of ${MODULES_FILE}`, 'something else');
  const fields = new JsonFields(item, MODULES_FILE, 'CONFIG');
  const type = fields.string('type');
  if (type === undefined) throw fields.error('type', 'a class name', undefined);
  if (!type.startsWith('sentence_transformers.') && !type.startsWith('pylate.models.'))
    throw fields.error('type', 'a class of sentence_transformers or PyLate', type, 'CONFIG_UNSUPPORTED');
  fields.string('path');
  return { kind: type.slice(type.lastIndexOf('.') + 1), path: folder };
}
