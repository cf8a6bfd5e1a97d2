import { limitSchema, type LimitOptions } from '../../calls/options.js';
import { wrongOption } from '../../expected.js';
import { generate, type GeneratedText } from '../../generation/generate.js';
import { settingSchema, type GenerationSettings } from '../../generation/settings.js';
import { generateStream, type StreamedText } from '../../generation/stream.js';
import type { ModelPath } from '../../hub/index.js';
import { loadModel, type LoadModelOptions, type Model } from '../../models/index.js';
import { readOptions, type Check } from '../../options.js';
import { OnceLoaded } from './once-loaded.js';
import { isModel } from './ranker.js';
import { loadOptions, modelPath, whenSchema, type AdapterCallOptions } from './text-vectors.js';

/** The model that writes, and how: `generate`'s settings, under its names. */
export interface WriterOptions extends GenerationSettings, Pick<LimitOptions, 'onTruncate' | 'truncationSide'> {
  /** One that `loadModel` returned, which its owner disposes of, or a directory or an id on the Hub, loaded at the first text. */
  readonly model: Model | ModelPath;
  /** How it is loaded, as `loadModel` takes it. */
  readonly load?: LoadModelOptions | undefined;
}

/** When a call runs, and settings of it alone, which come before the adapter's. */
export interface WriterCallOptions extends AdapterCallOptions {
  readonly generation?: GenerationSettings | undefined;
}

const modelOrPath: Check<Model | string> = (value, name) => (isModel(value) ? value : modelPath(value, name));
const { onTruncate, truncationSide } = limitSchema;
const schema = { ...settingSchema, onTruncate, truncationSide, model: modelOrPath, load: loadOptions as Check<LoadModelOptions> };
const callSchema = { ...whenSchema, generation: loadOptions as Check<GenerationSettings> };

/** Writes texts for an adapter: by a model of the caller, or one that is loaded once. */
export class TextWriter {
  readonly #name: string;
  readonly #model: OnceLoaded<Model>;
  readonly #settings: Omit<WriterOptions, 'model' | 'load'>;
  /** The directory, or the id, for those who ask what model it is. */
  readonly modelName: string;
  #loaded: Model | undefined;

  /** `name` is what errors call the adapter. Errors: INVALID_OPTION, INVALID_IDS. */
  constructor(name: string, options: WriterOptions) {
    const { model, load, ...settings } = readOptions(name, options, schema);
    if (model === undefined) throw wrongOption(`a model that writes as the option model of ${name}`, model);
    if (load !== undefined && typeof model !== 'string')
      throw wrongOption(`a model to load beside the option load of ${name}`, 'a loaded one');
    this.#name = name;
    this.#loaded = typeof model === 'string' ? undefined : model;
    this.#model = new OnceLoaded(name, this.#loaded, () => loadModel(model as string, load));
    this.modelName = typeof model === 'string' ? model : model.directory;
    this.#settings = settings as Omit<WriterOptions, 'model' | 'load'>;
  }

  /** The settings that were given. */
  get settings(): GenerationSettings {
    return this.#settings;
  }

  /** Most tokens of a prompt and its text together, once the model is loaded. */
  get positions(): number | undefined {
    const config = this.#loaded?.config;
    return config && (config.decoder ?? config).maxSequenceLength;
  }

  /** Texts for each prompt, the best first. Errors: INVALID_OPTION, those of the load and of `generate`. */
  async write(prompts: readonly string[], call?: WriterCallOptions, stop?: readonly string[]): Promise<GeneratedText[][]> {
    const { model, options } = await this.#begin(call, stop);
    return generate(model, prompts, options);
  }

  /** A text in parts. Errors, from the first part on: as `write`; INVALID_OPTION for beams that the settings ask for. */
  async *stream(prompt: string, call?: WriterCallOptions, stop?: readonly string[]): AsyncGenerator<StreamedText, void, undefined> {
    const { model, options } = await this.#begin(call, stop);
    yield* generateStream(model, prompt, { numBeams: 1, ...options });
  }

  /** Gives back the model that was loaded here, never the caller's own. */
  dispose(): Promise<void> {
    return this.#model.dispose();
  }

  async #begin(call: WriterCallOptions | undefined, stop: readonly string[] | undefined) {
    const { signal, priority, deadlineMs, generation } = readOptions(this.#name, call, callSchema);
    const model = await this.#model.get(signal);
    this.#loaded = model;
    // Beams are not stopped by texts.
    const stopping = stop === undefined || stop.length === 0 ? {} : { stop, numBeams: 1 };
    const settings = { ...this.#settings, ...stopping, ...generation };
    return { model, options: { ...settings, signal, priority, deadlineMs: deadlineMs?.left } };
  }
}

/** What a text cost, and why it ended. */
export function usageOf(texts: readonly GeneratedText[]): { readonly promptTokens: number; readonly completionTokens: number } {
  return {
    promptTokens: texts[0]?.tokens ?? 0,
    completionTokens: texts.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}
