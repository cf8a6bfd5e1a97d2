import type { TSchema } from 'typebox';
import type { Model, StreamedText } from 'bertha-encoder';
import type { Ability } from '../models/abilities.js';

/** A route `/tasks/NAME`. */
export interface Task {
  readonly ability: Ability;
  readonly summary: string;
  /** An input. */
  readonly input: TSchema;
  /** What has to come beside the inputs. */
  readonly required?: Readonly<Record<string, TSchema>>;
  readonly options: Readonly<Record<string, TSchema>>;
  /** The library's function; a list of inputs gives a list. */
  readonly run: (model: Model, inputs: never, options: object) => Promise<object>;
  /** The same for one input whose answer comes in parts. */
  readonly stream?: (model: Model, input: never, options: object) => AsyncIterable<StreamedText>;
}
