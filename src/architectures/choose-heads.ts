import { BerthaError } from '../errors.js';
import { headOfClass } from './class-names.js';
import type { EncoderOutputs } from './encoder.js';
import type { Family } from './family.js';
import type { HeadBuilder, HeadBuilders, Heads } from './heads.js';
import type { WeightReader } from './weight-reader.js';

/** The heads that a checkpoint's tensors allow. */
export interface ChosenHeads {
  /** Those that the model has by default. */
  readonly heads: Heads;
  /**
   * Those that read a tensor of a default head in another way, and that a task may ask for by name: one `classifier` can be over sequences,
   * over tokens or over choices.
   */
  readonly otherHeads: Heads;
  /** Why a head cannot be had although tensors of it are there. */
  readonly headFaults: Readonly<Partial<Record<keyof Heads, BerthaError>>>;
}

/**
 * Appends every head whose tensors are there. Where several could read the same tensor, the one that the first known class of
 * `architectures` names is the default, else the family's first.
 *
 * Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED, CONFIG_UNSUPPORTED when the head that the config names cannot be built and there is no other.
 */
export function chooseHeads(family: Family, read: WeightReader, encoder: EncoderOutputs): ChosenHeads {
  const builders: HeadBuilders = family.heads;
  const asked = read.config.architectures.map((name) => headOfClass(family, name)).find((head) => head !== undefined);
  const names = Object.keys(builders) as (keyof Heads)[];
  const order = asked === undefined || builders[asked] === undefined ? names : [asked, ...names.filter((head) => head !== asked)];

  const [heads, otherHeads]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  const headFaults: Partial<Record<keyof Heads, BerthaError>> = {};
  const taken = new Set<string>();
  for (const head of order) {
    const build: HeadBuilder | undefined = builders[head];
    const attempt = read.attempt(() => build?.(read, encoder));
    if (attempt instanceof BerthaError) {
      headFaults[head] = attempt;
    } else if (attempt.result !== undefined) {
      const isFirst = [...attempt.taken].every((tensor) => !taken.has(tensor));
      (isFirst ? heads : otherHeads)[head] = attempt.result;
      attempt.taken.forEach((tensor) => taken.add(tensor));
    }
  }
  const fault = asked === undefined ? undefined : headFaults[asked];
  if (fault !== undefined && Object.keys(heads).length === 0) throw fault;
  return { heads, otherHeads, headFaults };
}
