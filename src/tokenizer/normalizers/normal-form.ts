import { decompose, decomposeCompatibly } from '../unicode/normal-forms.js';
import { AlignedStream } from './aligned-stream.js';
import type { Budget, CharacterStream } from './character-stream.js';
import { Composition } from './composition.js';
import { Decomposition } from './decomposition.js';

/** One of Unicode's normalization forms. */
export type FormName = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** A text in a normalization form. Characters are aligned in the order that they have after the marks were sorted. */
export function normalForm(form: FormName, upstream: CharacterStream, budget: Budget): CharacterStream {
  const isCompatible = form === 'NFKC' || form === 'NFKD';
  return new AlignedStream(upstream, (onRead) => {
    const decomposed = new Decomposition(upstream, isCompatible ? decomposeCompatibly : decompose, budget, onRead);
    return form === 'NFC' || form === 'NFKC' ? new Composition(decomposed, budget) : decomposed;
  });
}
