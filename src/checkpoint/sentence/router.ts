import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { resolveInside } from '../files.js';
import { isJsonObject, JsonFields, parseJsonObject } from '../json-fields.js';
import { moduleFile, readModuleFile, type ModuleEntry } from './module-entry.js';

/** What queries and documents go through, where they go different ways. */
export interface Routes {
  readonly query: readonly ModuleEntry[];
  readonly document: readonly ModuleEntry[];
}

const kFile = 'router_config.json';

/**
 * The routes of sentence-transformers' Router, as its router_config.json lists them.
 *
 * Errors: CONFIG, CONFIG_UNSUPPORTED (others than query and document), INDEX_PATH, LFS_POINTER, IO.
 */
export async function readRoutes(directory: string, router: ModuleEntry): Promise<Routes> {
  const file = moduleFile(router, kFile);
  const text = await readModuleFile(directory, file, 'CONFIG');
  if (text === undefined) throw unexpected('CONFIG', `${quote(file)} for the Router module`, 'no such file');
  const fields = new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG');
  const [types, structure] = [fields.object('types'), fields.object('structure')];
  if (types === undefined || structure === undefined) throw fields.error('structure', 'the modules of each route', structure);
  const other = Object.keys(structure).find((route) => route !== 'query' && route !== 'document');
  if (other !== undefined) throw fields.error('structure', 'the routes "query" and "document"', other, 'CONFIG_UNSUPPORTED');
  const entriesOf = async (route: keyof Routes): Promise<ModuleEntry[]> => {
    const names: unknown = structure[route];
    if (!Array.isArray(names) || names.length === 0) throw fields.error('structure', `a list of modules for ${route}`, names);
    return Promise.all(names.map((name: unknown) => toEntry(name)));
  };
  const toEntry = async (name: unknown): Promise<ModuleEntry> => {
    const type: unknown = typeof name === 'string' && isJsonObject(types) ? types[name] : undefined;
    if (typeof name !== 'string' || typeof type !== 'string') throw fields.error('types', 'a class for each module', name);
    if (!type.startsWith('sentence_transformers.'))
      throw fields.error('types', 'classes of sentence_transformers', type, 'CONFIG_UNSUPPORTED');
    const folder = moduleFile(router, name);
    await resolveInside(directory, folder, file);
    return { kind: type.slice(type.lastIndexOf('.') + 1), path: folder };
  };
  return { query: await entriesOf('query'), document: await entriesOf('document') };
}
