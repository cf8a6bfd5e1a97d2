import { type JsonNode, unsupported } from './json.js';
import { readPrependScheme } from './prepend-scheme.js';
import { patternSet, readPattern } from './pattern-json.js';
import {
  bertPreTokenizer,
  digitsStep,
  type Metaspace,
  type PatternWords,
  plainSteps,
  PreTokenizer,
  punctuationStep,
  type SplitBehavior,
  splitRules,
  type SplitStep,
} from '../scanning/pre-tokenizer.js';
import { gpt2Pattern, publishedPatterns, type WordPattern, wholePattern } from '../scanning/patterns/word-pattern.js';
import { CodePointSet, codePointsOf } from '../unicode/code-point-set.js';

const SUPPORTED =
  'BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, Split by single characters or last by the pattern of GPT-2, cl100k, Llama 3 or Qwen2, CharDelimiterSplit, ByteLevel or Metaspace as the last, a Sequence of these, or none';
const BEHAVIORS: readonly SplitBehavior[] = ['Isolated', 'Contiguous', 'Removed', 'MergedWithPrevious', 'MergedWithNext'];

/** Reads the pre_tokenizer of a tokenizer.json. Errors: TOKENIZER, for what no rule on neighbouring characters and no pattern of words decides. */
export function readPreTokenizer(node: JsonNode | undefined): PreTokenizer {
  if (node === undefined) return new PreTokenizer([]);
  const parts = flatten(node);
  const metaspace = takeMetaspace(parts);
  const words = metaspace === undefined ? takePatternWords(parts) : undefined;
  const preTokenizer = new PreTokenizer(parts.flatMap(readSteps), words, metaspace);
  if (preTokenizer.isTooLarge) throw node.wrong('fewer splits', 'pretokenizers', node.get('pretokenizers'));
  return preTokenizer.isTabular && preTokenizer.key === bertPreTokenizer.key ? bertPreTokenizer : preTokenizer;
}

/** Takes a Split by a published pattern and ByteLevel off the end of the pre-tokenizers. */
function takePatternWords(steps: JsonNode[]): PatternWords | undefined {
  const byteLevel = steps.at(-1)?.get('type') === 'ByteLevel' ? steps.pop() : undefined;
  const split = patternOf(steps.at(-1)) === undefined ? undefined : (steps.pop() as JsonNode);
  const pattern = patternOf(split);
  if (byteLevel === undefined && pattern === undefined) return undefined;
  const usesRegex = byteLevel?.boolean('use_regex', true) === true;
  const addPrefixSpace = byteLevel?.boolean('add_prefix_space', true) === true;
  if (pattern !== undefined && pattern !== gpt2Pattern && usesRegex)
    throw (byteLevel as JsonNode).wrong('false behind another pattern', 'use_regex', true);
  if (pattern !== undefined && addPrefixSpace) throw (byteLevel as JsonNode).wrong('false behind a pattern', 'add_prefix_space', true);
  return { pattern: pattern ?? (usesRegex ? gpt2Pattern : wholePattern), isByteLevel: byteLevel !== undefined, addPrefixSpace };
}

/** The parts of nested sequences, in their order. */
function flatten(node: JsonNode): JsonNode[] {
  return node.get('type') === 'Sequence' ? node.children('pretokenizers').flatMap(flatten) : [node];
}

/** The pattern of a Split that cuts all of a text into its matches. */
function patternOf(node: JsonNode | undefined): WordPattern | undefined {
  if (node?.get('type') !== 'Split') return undefined;
  const pattern = publishedPatterns.get(node.child('pattern')?.string('Regex') ?? '');
  const isInverted = node.boolean('invert', false);
  const behavior = node.oneOf('behavior', BEHAVIORS, 'Isolated');
  return behavior === (isInverted ? 'Removed' : 'Isolated') ? pattern : undefined;
}

/** Takes a Metaspace off the end of the pre-tokenizers. */
function takeMetaspace(steps: JsonNode[]): Metaspace | undefined {
  const last = steps.at(-1);
  if (last?.get('type') !== 'Metaspace') return undefined;
  steps.pop();
  const character = last.string('replacement', '\u2581');
  if (character.length !== 1) throw last.wrong('one character up to U+FFFF', 'replacement', character);
  return { replacement: character.charCodeAt(0), prepend: readPrependScheme(last), splits: last.boolean('split', true) };
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
