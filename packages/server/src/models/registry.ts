import { BerthaError } from 'bertha-encoder';
import { RequestError, unavailable } from '../failures/failures.js';
import { abilityNames, type Ability } from './abilities.js';
import { nameOf, ServedModel, type ModelSpec } from './served-model.js';

/** A model that is not served, and why. */
export interface FailedModel {
  readonly name: string;
  readonly error: Error;
}

/** Hears of every model that was loaded, or that could not be. */
export type OnLoad = (name: string, outcome: ServedModel | Error) => void;

/** NaNs in a row after which the server is no longer ready. */
const kMostFaults = 3;

/** The models of a server by their names. One that fails to load leaves the others alone. */
export class ModelRegistry {
  readonly #specs: ReadonlyMap<string, ModelSpec>;
  readonly #models = new Map<string, ServedModel>();
  #loaded: readonly ServedModel[] = [];
  readonly #failed = new Map<string, Error>();
  readonly #onLoad: OnLoad;
  #isLoaded = false;
  #faults = 0;

  /** Errors: BerthaError USAGE for two models of one name. */
  constructor(specs: readonly ModelSpec[], onLoad: OnLoad) {
    const named = specs.map((spec): [string, ModelSpec] => [nameOf(spec), spec]);
    const twice = named.find(([name], i) => named.findIndex(([other]) => other === name) < i);
    if (twice !== undefined)
      throw new BerthaError('USAGE', `Two models have the name ${JSON.stringify(twice[0])}: give one of them as NAME=DIR.`);
    this.#specs = new Map(named);
    this.#onLoad = onLoad;
  }

  /** Loads all models, one after the other. Never rejects: see `failed`. */
  async load(signal: AbortSignal): Promise<void> {
    for (const name of this.#specs.keys()) {
      if (signal.aborted) return;
      await this.reload(name).catch(() => undefined);
    }
    this.#isLoaded = true;
    if (signal.aborted) this.dispose();
  }

  /**
   * Loads a model anew, in the place of the one that is served by this name, which answers until then and ends when its last request is answered. If
   * loading fails, the old one stays.
   *
   * Errors: as `loadModel`; BerthaError INVALID_ARG for a name that no model was given.
   */
  async reload(name: string): Promise<void> {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new BerthaError('INVALID_ARG', `No model has the name ${JSON.stringify(name)}.`);
    let fresh: ServedModel;
    try {
      fresh = await ServedModel.load(spec);
    } catch (error) {
      if (!this.#models.has(name)) this.#failed.set(name, error as Error);
      this.#onLoad(name, error as Error);
      throw error;
    }
    const old = this.#models.get(name);
    this.#models.set(name, fresh);
    this.#loaded = this.names.flatMap((each) => this.#models.get(each) ?? []);
    this.#failed.delete(name);
    this.#faults = 0;
    old?.retire();
    this.#onLoad(name, fresh);
  }

  /** Names of all models, loaded or not. */
  get names(): readonly string[] {
    return [...this.#specs.keys()];
  }

  /** The loaded models, in the order they were named. */
  get loaded(): readonly ServedModel[] {
    return this.#loaded;
  }

  get failed(): readonly FailedModel[] {
    return Array.from(this.#failed, ([name, error]) => ({ name, error }));
  }

  /** Why the server cannot answer yet or no more; undefined when it can. */
  get problem(): string | undefined {
    if (!this.#isLoaded) return 'models are being loaded';
    if (this.#models.size === 0) return 'no model could be loaded';
    return this.faultProblem;
  }

  /** Why a server whose models are loaded does not answer well. */
  get faultProblem(): string | undefined {
    return this.#faults >= kMostFaults ? 'a model computes numbers that are not finite' : undefined;
  }

  /** Counts answers that were not finite, one after the other. */
  noteOutcome(error: unknown): void {
    if (error === undefined) this.#faults = 0;
    else if (error instanceof BerthaError && error.code === 'NON_FINITE') this.#faults++;
  }

  /**
   * The model for a request: the one of this name; where none is named, or none has that name, the only one that fits.
   *
   * Errors: RequestError 404 with the names, 503 while models are being loaded or for one that failed to; BerthaError NO_HEAD.
   */
  choose(name: string | undefined, ability: Ability): ServedModel {
    const named = name === undefined ? undefined : this.#models.get(name);
    if (named !== undefined) {
      if (named.can(ability)) return named;
      throw noHead(`${named.name} is not ${abilityNames[ability]}.`);
    }
    if (!this.#isLoaded) throw unavailable('Models are being loaded.', 'not_ready');
    const failed = name === undefined ? undefined : this.#failed.get(name);
    if (failed !== undefined) throw unavailable(`The model ${name} could not be loaded.`, codeOf(failed));
    const { loaded } = this;
    if (loaded.length === 0) throw unavailable('No model could be loaded.', 'not_ready');
    const fitting = loaded.filter(({ abilities }) => abilities.has(ability));
    if (fitting.length === 1) return fitting[0]!;
    if (fitting.length === 0 && (name === undefined || loaded.length === 1)) {
      throw noHead(`None of the models is ${abilityNames[ability]}: ${loaded.map((model) => model.name).join(', ')}.`);
    }
    throw this.#notFound(name, fitting.length === 0 ? loaded : fitting);
  }

  /** The model of a name. Errors: RequestError 404. */
  find(name: string): ServedModel {
    const found = this.#models.get(name);
    if (found === undefined) throw this.#notFound(name, this.loaded);
    return found;
  }

  /** Gives all models up, each once its last request is answered. */
  dispose(): void {
    for (const model of this.#models.values()) model.retire();
    this.#models.clear();
    this.#loaded = [];
  }

  #notFound(name: string | undefined, among: readonly ServedModel[]): RequestError {
    const names = among.map((model) => model.name).join(', ');
    const message =
      name === undefined
        ? `Several models fit: name one of ${names} as model, or in the path /models/NAME.`
        : `No model has the name ${JSON.stringify(name.slice(0, 200))}. Loaded: ${names}.`;
    return new RequestError({ status: 404, code: 'model_not_found', type: 'NotFound', message, param: 'model' });
  }
}

function noHead(message: string): BerthaError {
  return new BerthaError('NO_HEAD', message);
}

function codeOf(error: Error): string {
  return error instanceof BerthaError ? error.code : 'INTERNAL';
}
