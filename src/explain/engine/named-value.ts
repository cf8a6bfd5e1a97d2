import type { BuiltModel } from '../../models/build-model.js';
import type { Heads, Value } from '../../models/index.js';

/** What can be explained of a model: the logits of a head, or the vector of a text. */
export type ValueName = keyof Heads | 'vector' | 'normalizedVector';

type HasHeads = Pick<BuiltModel, 'heads' | 'otherHeads'>;

/** The logits of a head, by its name. */
export function headValue({ heads, otherHeads }: HasHeads, name: keyof Heads): Value | undefined {
  if (name === 'maskedLm') return (heads.maskedLm ?? otherHeads.maskedLm)?.logits;
  return heads[name] ?? otherHeads[name];
}

/** A value of a built model by its name; undefined for a head that it does not have. */
export function builtValue(built: BuiltModel, name: ValueName): Value | undefined {
  if (name === 'vector') return built.sentence.embedding;
  return name === 'normalizedVector' ? built.sentence.normalizedEmbedding : headValue(built, name);
}
