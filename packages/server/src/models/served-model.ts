import { basename } from 'node:path';
import { embedderOf, loadModel, type BundledTask, type Embedder, type LoadModelOptions, type Model, type Precision } from 'bertha-encoder';
import { abilitiesOf, otherAbilitiesOf, type Ability } from './abilities.js';

/** A model to serve: a directory, an id on the Hub, the bundled one, or an adapter of one of them. */
export interface ModelSpec {
  /** The name that requests choose it by. Default: the id, or the last part of the directory or of the adapter's. */
  readonly name?: string | undefined;
  /** A directory, or an id on the Hub. Default: the bundled model. */
  readonly model?: string | undefined;
  /** Of an id on the Hub: branch, tag or commit. */
  readonly revision?: string | undefined;
  /** A LoRA adapter's directory: its model's weights are shared with every other model of the same directory. */
  readonly adapter?: string | undefined;
  /** The bundled model with its head for this task. */
  readonly task?: BundledTask | undefined;
  readonly precision?: Precision | 'auto' | undefined;
  /** Where it computes. Default `'cpu'`. */
  readonly device?: LoadModelOptions['device'];
  /** Threads that may compute for it at once. Default: what affinity, quota and physical cores allow. */
  readonly threads?: number | undefined;
  /** Of an id on the Hub: the token for private and gated models, and the folder of what was downloaded. Default: as `loadModel` finds them. */
  readonly token?: string | undefined;
  readonly cacheDir?: string | undefined;
}

const namesOfTasks: Readonly<Record<BundledTask, string>> = {
  'text-classification': 'sentiment',
  'token-classification': 'entities',
  'next-sentence-prediction': 'next-sentence',
  'fill-mask': 'masked-words',
};

/**
 * The bundled model, and its heads as models of their own that share its weights; but not the one for masked words, whose decoder needs half the
 * model's memory once more.
 */
export const bundledSpecs: readonly ModelSpec[] = [
  {},
  ...(Object.keys(namesOfTasks) as BundledTask[]).filter((task) => task !== 'fill-mask').map((task) => ({ task })),
];

/** The name that a model is served by. */
export function nameOf({ name, model, adapter, task }: ModelSpec): string {
  if (name !== undefined) return name;
  if (task !== undefined) return namesOfTasks[task];
  if (adapter !== undefined) return basename(adapter);
  if (model === undefined) return 'all-MiniLM-L6-v2';
  return /^[\w.-]+\/[\w.-]+$/.test(model) && !model.startsWith('.') ? model : basename(model);
}

/** A loaded model, and how many requests use it: it is given up when the last one is answered. */
export class ServedModel {
  readonly name: string;
  readonly model: Model;
  /** What it is asked for. */
  readonly abilities: ReadonlySet<Ability>;
  readonly #otherAbilities: ReadonlySet<Ability>;
  readonly #embedder: Embedder | undefined;
  #users = 0;
  #isRetired = false;

  private constructor(name: string, model: Model, isAdapted: boolean) {
    this.name = name;
    this.model = model;
    this.abilities = abilitiesOf(model, isAdapted);
    this.#otherAbilities = otherAbilitiesOf(model);
    this.#embedder = this.abilities.has('embed') || this.abilities.has('embed-sparse') ? embedderOf(model) : undefined;
  }

  /** Loads a model and computes with it once, so that the first request is as fast as the next. Errors: as `loadModel`; NON_FINITE. */
  static async load(spec: ModelSpec): Promise<ServedModel> {
    const { model: directory, name: _, ...options } = spec;
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as LoadModelOptions;
    const model = await loadModel(directory, given);
    try {
      const served = new ServedModel(nameOf(spec), model, spec.adapter !== undefined || spec.task !== undefined);
      await model.forward(model.tokenizer.encode('A cat sits on the mat.', { truncation: true, maxLength: model.maxTokens }));
      return served;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** The model as an embedder. Only of a model with the ability `embed` or `embed-sparse`. */
  get embedder(): Embedder {
    if (this.#embedder === undefined) throw new Error(`${this.name} has no embedder`);
    return this.#embedder;
  }

  /** Whether it can be asked for something by its name. */
  can(ability: Ability): boolean {
    return this.abilities.has(ability) || this.#otherAbilities.has(ability) || (ability === 'classify' && this.abilities.has('rerank'));
  }

  /** Runs what uses the model, which stays loaded until it ends. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      this.#disposeIfIdle();
    }
  }

  /** Gives the model up once nobody uses it. */
  retire(): void {
    this.#isRetired = true;
    this.#disposeIfIdle();
  }

  #disposeIfIdle(): void {
    if (this.#isRetired && this.#users === 0) this.model.dispose();
  }
}
