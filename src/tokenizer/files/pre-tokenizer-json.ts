import { type JsonNode, unsupported } from './json.js';
import { patternSet, readPattern } from './pattern-json.js';
import {
  bertPreTokenizer,
  digitsStep,
  plainSteps,
  PreTokenizer,
  punctuationStep,
  type SplitBehavior,
  splitRules,
  type SplitStep,
} from '../scanning/pre-tokenizer.js';
import { CodePointSet, codePointsOf } from '../unicode/code-point-set.js';

const SUPPORTED =
  'BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, Split by single characters, CharDelimiterSplit, a Sequence of these, or none';
const BEHAVIORS: readonly SplitBehavior[] = ['Isolated', 'Contiguous', 'Removed', 'MergedWithPrevious', 'MergedWithNext'];

/** Reads the pre_tokenizer of a tokenizer.json. Errors: TOKENIZER, for what more than two neighbouring characters decide about. */
export function readPreTokenizer(node: JsonNode | undefined): PreTokenizer {
  if (node === undefined) return new PreTokenizer([]);
  const preTokenizer = new PreTokenizer(readSteps(node));
  if (preTokenizer.isTooLarge) throw node.wrong('fewer splits', 'pretokenizers', node.get('pretokenizers'));
  return preTokenizer.key === bertPreTokenizer.key ? bertPreTokenizer : preTokenizer;
}

function readSteps(node: JsonNode): SplitStep[] {
  const type = node.get('type');
  switch (type) {
    case 'BertPreTokenizer':
    case 'Whitespace':
    case 'WhitespaceSplit':
      return [plainSteps[type] as SplitStep];
    case 'Digits':
      return [digitsStep(node.boolean('individual_digits', false))];
    case 'Punctuation':
      return [punctuationStep(node.oneOf('behavior', BEHAVIORS, 'Isolated'))];
    case 'Split':
      return [readSplit(node)];
    case 'CharDelimiterSplit': {
      const [delimiter, ...others] = codePointsOf(node.string('delimiter', ''));
      if (delimiter === undefined || others.length > 0) throw node.wrong('one character', 'delimiter', node.get('delimiter'));
      const set = CodePointSet.ofRanges([[delimiter, delimiter + 1]]);
      return [{ key: `CharDelimiterSplit ${delimiter}`, rules: splitRules(set, 'Removed'), isCustom: true }];
    }
    case 'Sequence':
      return node.children('pretokenizers').flatMap(readSteps);
  }
  throw unsupported(node, SUPPORTED);
}

function readSplit(node: JsonNode): SplitStep {
  const found = patternSet(readPattern(node));
  if (found === undefined) throw node.wrong('a pattern of single characters, or of runs of them,', 'pattern', node.get('pattern'));
  const behavior = node.oneOf('behavior', BEHAVIORS, 'Isolated');
  const isInverted = node.boolean('invert', false);
  const key = JSON.stringify(['Split', node.get('pattern'), behavior, isInverted]);
  return { key, rules: splitRules(found.set, behavior, found.isRun, isInverted), isCustom: true };
}
