import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';
import { moduleFile, readModuleFile, type ModuleEntry } from './module-entry.js';

/** How queries are made longer by tokens that have no text (ColBERT). */
export interface QueryExpansion {
  /** Tokens of a query at least. */
  readonly length: number;
  /** Longer queries are cut there. */
  readonly isFixed: boolean;
  /** Whether the other tokens see them. */
  readonly attend: boolean;
  /** Default: the tokenizer's mask token. */
  readonly token?: string;
}

/** How a model of several vectors a text reads texts. */
export interface MultiVectorReading {
  readonly expansion?: QueryExpansion;
  /** Most tokens of a query and of a document, where they have a limit of their own. */
  readonly queryLength?: number;
  readonly documentLength?: number;
  /** Tokens of these words have no vector. */
  readonly skipped: readonly string[];
  /** In texts of these kinds. */
  readonly skippedIn: readonly string[];
  /** A token each that follows the first one, in older layouts. */
  readonly markers: Readonly<Partial<Record<'query' | 'document', string>>>;
}

/** Python's `string.punctuation`. */
const kPunctuation = Array.from('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');
/** Tokens of a query in ColBERT's papers. */
const kQueryLength = 32;
const kMostTokens = 1 << 20;

/** What the modules after the projection say: a MultiVectorMask. Errors: CONFIG, CONFIG_UNSUPPORTED, LFS_POINTER, IO. */
export async function readMask(directory: string, entry: ModuleEntry): Promise<Pick<MultiVectorReading, 'skipped' | 'skippedIn'>> {
  const file = moduleFile(entry, 'config.json');
  const text = await readModuleFile(directory, file, 'CONFIG');
  const fields = new JsonFields(parseJsonObject(text ?? '{}', file, 'CONFIG'), file, 'CONFIG');
  const kept = fields.get('keep_only_token_ids') ?? null;
  if (kept !== null) throw fields.error('keep_only_token_ids', 'null', kept, 'CONFIG_UNSUPPORTED');
  return { skipped: strings(fields, 'skiplist_words') ?? [], skippedIn: strings(fields, 'skiplist_tasks') ?? ['document'] };
}

/** What sentence-transformers' own Transformer module says of queries and documents. Errors: CONFIG. */
export function readLengths(fields: JsonFields | undefined): Pick<MultiVectorReading, 'expansion' | 'queryLength' | 'documentLength'> {
  const expansion = fields?.object('query_expansion');
  const lengths = { ...lengthOf(fields, 'query_length', 'queryLength'), ...lengthOf(fields, 'document_length', 'documentLength') };
  if (expansion === undefined || fields === undefined) return lengths;
  const own = new JsonFields(expansion, 'query_expansion', 'CONFIG');
  const strategy = own.string('strategy');
  if (strategy !== 'fixed' && strategy !== 'min') throw own.error('strategy', '"fixed" or "min"', strategy, 'CONFIG_UNSUPPORTED');
  const token = own.string('token');
  return {
    ...lengths,
    expansion: {
      length: own.requiredInteger('length', 1, kMostTokens),
      isFixed: strategy === 'fixed',
      attend: own.boolean('attend') ?? false,
      ...(token === undefined ? {} : { token }),
    },
  };
}

/** What PyLate saved in config_sentence_transformers.json. Errors: CONFIG. */
export function readPyLate(fields: JsonFields): MultiVectorReading {
  const length = fields.integer('query_length', 1, kMostTokens) ?? kQueryLength;
  const attend = fields.boolean('attend_to_expansion_tokens') ?? fields.boolean('attend_to_mask_tokens') ?? false;
  const query = fields.string('query_prefix');
  const document = fields.string('document_prefix');
  return {
    ...(fields.boolean('do_query_expansion') === false ? { queryLength: length } : { expansion: { length, isFixed: true, attend } }),
    ...lengthOf(fields, 'document_length', 'documentLength'),
    skipped: strings(fields, 'skiplist_words') ?? kPunctuation,
    skippedIn: ['document'],
    markers: { ...(query ? { query } : {}), ...(document ? { document } : {}) },
  };
}

/** What Stanford's ColBERT saved in artifact.metadata. Errors: CONFIG. */
export function readStanford(fields: JsonFields): MultiVectorReading {
  const length = fields.integer('query_maxlen', 1, kMostTokens) ?? kQueryLength;
  return {
    expansion: { length, isFixed: true, attend: fields.boolean('attend_to_mask_tokens') ?? false },
    ...lengthOf(fields, 'doc_maxlen', 'documentLength'),
    skipped: (fields.boolean('mask_punctuation') ?? true) ? kPunctuation : [],
    skippedIn: ['document'],
    markers: { query: fields.string('query_token_id') ?? '[unused0]', document: fields.string('doc_token_id') ?? '[unused1]' },
  };
}

/** Errors: POOLING for modules that make something else of token vectors. */
export function requireLast(entry: ModuleEntry | undefined): void {
  if (entry !== undefined) throw unexpected('POOLING', 'nothing after the Normalize of token vectors', quote(entry.kind));
}

function lengthOf<K extends string>(fields: JsonFields | undefined, key: string, name: K): Partial<Record<K, number>> {
  const length = fields?.integer(key, 1, kMostTokens);
  return (length === undefined ? {} : { [name]: length }) as Partial<Record<K, number>>;
}

function strings(fields: JsonFields, key: string): string[] | undefined {
  const list = fields.get(key) ?? undefined;
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) throw fields.error(key, 'a list of strings', list);
  return list;
}
