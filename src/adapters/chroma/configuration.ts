import { limitSchema, type LimitOptions } from '../../calls/options.js';
import type { Embedder, LoadEmbedderOptions } from '../../embedding/embed.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { ModelPath } from '../../hub/index.js';
import { flag, integer, type Options, readOptions, type Schema, text } from '../../options.js';
import type { PrecisionOption } from '../../runtime/options/precision.js';
import { modelPath } from '../shared/text-vectors.js';

/** What Chroma keeps of any function: the model, and how texts are read. */
export interface CommonConfig {
  /** Directory or id on the Hub; absent for the bundled model. */
  readonly model_name?: string;
  readonly revision?: string;
  readonly precision?: string;
  readonly max_length?: number;
  readonly truncation_side?: 'left' | 'right';
  readonly split_special_tokens?: boolean;
  readonly query_prompt?: string;
  readonly document_prompt?: string;
}

/** The checks of `CommonConfig`. */
export const commonSchema = {
  model_name: modelPath,
  revision: text,
  precision: text,
  max_length: integer(1, 1 << 20),
  truncation_side: limitSchema.truncationSide,
  split_special_tokens: flag,
  query_prompt: text,
  document_prompt: text,
};

/** The options that a configuration is made of. */
export interface CommonOptions extends LimitOptions {
  readonly embedder?: Embedder | undefined;
  readonly model?: ModelPath | undefined;
  readonly load?: LoadEmbedderOptions | undefined;
  readonly queryPrompt?: string | undefined;
  readonly documentPrompt?: string | undefined;
}

/** What does not change the vectors of documents that are stored. */
const free: readonly string[] = ['max_length', 'query_prompt', 'top_k'];

/** The configuration of options, and of those that one kind of function has. Errors: INVALID_OPTION. */
export function configOf<T extends object>(
  name: string,
  given: CommonOptions,
  own: T,
): CommonConfig & { [K in keyof T]?: NonNullable<T[K]> } {
  const { embedder, model, load, maxLength, truncationSide, splitSpecialTokens, queryPrompt, documentPrompt } = given;
  const all = {
    model_name: embedder?.directory ?? (model === undefined ? undefined : modelPath(model, `${name} option model`)),
    revision: load?.revision,
    precision: load?.precision,
    ...own,
    max_length: maxLength,
    truncation_side: truncationSide,
    split_special_tokens: splitSpecialTokens,
    query_prompt: queryPrompt,
    document_prompt: documentPrompt,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as CommonConfig & {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** The options of a configuration. */
export function commonOptions(config: Options<typeof commonSchema>): CommonOptions {
  return {
    model: config.model_name,
    load: { revision: config.revision, precision: config.precision as PrecisionOption },
    maxLength: config.max_length,
    truncationSide: config.truncation_side,
    splitSpecialTokens: config.split_special_tokens,
    queryPrompt: config.query_prompt,
    documentPrompt: config.document_prompt,
  };
}

/** A configuration as Chroma gives it back, where null is what was not set. Errors: INVALID_OPTION. */
export function readConfig<S extends Schema>(name: string, config: unknown, schema: S): Options<S> {
  if (typeof config !== 'object' || config === null)
    throw unexpected('INVALID_OPTION', `an object for the configuration of ${name}`, String(config));
  const given = Object.entries(config).filter(([, value]) => value !== null);
  return readOptions(`the configuration of ${name}`, Object.fromEntries(given), schema);
}

/** What Chroma asks of every function about its configuration. */
export abstract class Configured {
  readonly #name: string;
  readonly #schema: Schema;
  readonly #config: object;

  /** `name` is what the function is registered as, `schema` checks a configuration of its kind. */
  constructor(name: string, schema: Schema, config: object) {
    this.#name = name;
    this.#schema = schema;
    this.#config = config;
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  abstract dispose(): Promise<void>;

  /** What Chroma keeps beside the collection. */
  getConfig(): Record<string, unknown> {
    return { ...this.#config };
  }

  /** Errors: INVALID_OPTION for a configuration that is none. */
  validateConfig(config: Record<string, unknown>): void {
    readConfig(this.#name, config, this.#schema);
  }

  /** Errors: INVALID_OPTION for a change that would make the stored vectors those of another model. */
  validateConfigUpdate(config: Record<string, unknown>): void {
    const now = this.getConfig();
    for (const [key, value] of Object.entries(readConfig(this.#name, config, this.#schema))) {
      if (!free.includes(key) && value !== now[key]) throw wrongOption(`no other ${key} for a collection that has vectors`, value);
    }
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A function for each configuration that says all of it, so that a collection that is opened again finds a model that is loaded. */
export class Functions<F extends { readonly isDisposed: boolean }> {
  readonly #byConfig = new Map<string, F>();

  /** Keeps a function whose options its configuration says, unless there is one. */
  keep(made: F, config: object, { embedder, onTruncate, load = {} }: CommonOptions): void {
    const isAll = embedder === undefined && onTruncate === undefined;
    const isPlain = Object.keys(load).every((key) => key === 'revision' || key === 'precision');
    if (isAll && isPlain && this.find(config) === undefined) this.#byConfig.set(keyOf(config), made);
  }

  /** The function of a configuration that is still in use. */
  find(config: object): F | undefined {
    const known = this.#byConfig.get(keyOf(config));
    return known === undefined || known.isDisposed ? undefined : known;
  }
}

function keyOf(config: object): string {
  const set = Object.entries(config).filter(([, value]) => value !== undefined);
  return JSON.stringify(set.sort(([a], [b]) => (a < b ? -1 : 1)));
}
