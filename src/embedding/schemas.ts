// The checks of the options about vectors and chunks. They load no model, so that the command line can make its flags of them.
import { callSchema, limitSchema, promptSchema } from '../calls/options.js';
import { wrongOption } from '../expected.js';
import { flag, integer, oneOf, taking, tokenLimit, type Check } from '../options.js';

/** The checks of the options of `embedSync`; vectors have `width` numbers. */
export function embedSchema(width: number) {
  return {
    ...limitSchema,
    ...promptSchema,
    as: oneOf(['query', 'document']),
    normalize: flag,
    dimensions: integer(1, width),
    quantize: oneOf(['int8', 'binary']),
  };
}

/** Where chunks may begin: at a Markdown heading, a paragraph, a sentence, a word. */
export type Boundary = 'heading' | 'paragraph' | 'sentence' | 'word';

/** All of them. */
export const boundaryKinds: readonly Boundary[] = ['heading', 'paragraph', 'sentence', 'word'];

/** The check of `boundaries`. */
const boundaryList: Check<ReadonlySet<Boundary>> = taking({ kind: 'texts' }, (value, name) => {
  const isKnown = (each: unknown): boolean => boundaryKinds.includes(each as Boundary);
  if (Array.isArray(value) && value.every(isKnown)) return new Set(value as Boundary[]);
  throw wrongOption(`a list of ${boundaryKinds.join(', ')} for ${name}`, value);
});

/** The checks of the options of `chunkText`. */
export const chunkSchema = {
  ...promptSchema,
  maxTokens: tokenLimit(),
  overlap: integer(0, 1 << 20),
  boundaries: boundaryList,
  signal: callSchema.signal,
};
