import { type JsonNode, unsupported } from './json.js';
import { bertPreTokenizer, PreTokenizer, type SplitStep } from './pre-tokenizer.js';

const SUPPORTED = 'BertPreTokenizer, Whitespace, WhitespaceSplit, or a Sequence of these with Digits and Punctuation';
const BEHAVIORS = ['Isolated', 'Contiguous', 'Removed', 'MergedWithPrevious', 'MergedWithNext'];

/** Reads the pre_tokenizer of a tokenizer.json. Errors: TOKENIZER, for what cannot be told from single characters and where nothing drops white space. */
export function readPreTokenizer(node: JsonNode | undefined, root: JsonNode): PreTokenizer {
  if (node === undefined) throw root.wrong('BertPreTokenizer or another pre-tokenizer that drops white space', 'pre_tokenizer', undefined);
  const preTokenizer = new PreTokenizer(readSteps(node));
  if (!preTokenizer.dropsSpace) throw unsupported(node, SUPPORTED);
  return preTokenizer.key === bertPreTokenizer.key ? bertPreTokenizer : preTokenizer;
}

function readSteps(node: JsonNode): SplitStep[] {
  const type = node.get('type');
  switch (type) {
    case 'BertPreTokenizer':
    case 'Whitespace':
    case 'WhitespaceSplit':
      return [type];
    case 'Digits':
      return [node.boolean('individual_digits', false) ? 'Digits, Isolated' : 'Digits, Contiguous'];
    case 'Punctuation': {
      const behavior = node.oneOf('behavior', BEHAVIORS, 'Isolated');
      if (behavior !== 'Isolated' && behavior !== 'Contiguous' && behavior !== 'Removed')
        throw node.wrong('Isolated, Contiguous or Removed', 'behavior', behavior);
      return [`Punctuation, ${behavior}`];
    }
    case 'Sequence':
      return node.children('pretokenizers').flatMap(readSteps);
  }
  throw unsupported(node, SUPPORTED);
}
