import type { JsonNode } from './json.js';

/** Where a Metaspace puts a space in front of words. */
export type PrependScheme = 'always' | 'first' | 'never';

/** The `prepend_scheme` of a Metaspace. Old files have `add_prefix_space` in its place. Errors: TOKENIZER, where the two contradict each other. */
export function readPrependScheme(node: JsonNode): PrependScheme {
  const scheme = node.oneOf('prepend_scheme', ['always', 'first', 'never'], 'always');
  if (node.get('add_prefix_space') === undefined) return scheme;
  const isAdded = node.boolean('add_prefix_space', true);
  const isGiven = node.get('prepend_scheme') !== undefined;
  if (isGiven && !isAdded && scheme !== 'never') throw node.wrong(`true beside prepend_scheme "${scheme}"`, 'add_prefix_space', isAdded);
  return isGiven ? scheme : isAdded ? 'always' : 'never';
}
