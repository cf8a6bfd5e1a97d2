import type { JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import { callback, type Check, readOptions } from '../../options.js';
import type { EstimatorReader } from '../saving/estimator-reader.js';
import { type AnalyzerOptions, regExp, segmentWords } from './tokenize.js';

/** Options of a vectorizer's `load`: what a file can't hold. */
export interface LoadVectorizerOptions {
  /** The function that was given as `tokenizer`. `segmentWords` itself need not be given again. */
  readonly tokenizer?: AnalyzerOptions['tokenizer'];
  /** The pattern in JavaScript, where the file has one of Python's. */
  readonly tokenPattern?: RegExp | undefined;
}

const loadSchema = { tokenizer: callback as unknown as Check<(text: string) => readonly string[]>, tokenPattern: regExp };
/** scikit-learn's default, which is ours. */
const kPythonPattern = '(?u)\\b\\w\\w+\\b';

/** The options of a vectorizer under scikit-learn's names, and what stands beside them. Only those that were given, whose meanings are the same there. */
export function vectorizerParams(options: AnalyzerOptions & Readonly<Record<string, unknown>>): {
  readonly params: JsonObject;
  readonly state: JsonObject;
} {
  const { lowercase, stripAccents, stopWords, tokenPattern, tokenizer, analyzer, ngramRange, vocabulary } = options;
  const { minDf, maxDf, maxFeatures, binary } = options;
  return {
    params: {
      lowercase,
      strip_accents: stripAccents,
      stop_words: stopWords,
      token_pattern: tokenPattern?.source,
      analyzer,
      ngram_range: ngramRange,
      min_df: minDf,
      max_df: maxDf === 1 ? undefined : maxDf,
      max_features: maxFeatures,
      binary,
    },
    state: {
      token_pattern_flags: tokenPattern?.flags,
      tokenizer: tokenizer === undefined ? undefined : tokenizer === segmentWords ? 'segmentWords' : 'own',
      is_fixed_vocabulary: vocabulary !== undefined,
    },
  };
}

/** The vectorizer that `make` makes of the options and pieces in a file. Errors: ESTIMATOR, INVALID_OPTION. */
export function readVectorizer<T>(
  reader: EstimatorReader,
  options: LoadVectorizerOptions | undefined,
  make: (options: Readonly<Record<string, unknown>>, features: readonly string[]) => T,
): T {
  const given = readOptions('load', options, loadSchema);
  const features = reader.fields.strings('vocabulary');
  if (features === undefined) throw reader.fields.error('vocabulary', 'a list of strings', undefined);
  const named = reader.fields.string('tokenizer');
  if (named !== undefined && named !== 'segmentWords' && given.tokenizer === undefined) {
    throw unexpected('INVALID_OPTION', 'the function of option tokenizer for load', 'none', {
      hint: `${reader.file} was saved with a function, which is not in the file.`,
    });
  }
  const tokenizer = given.tokenizer ?? (named === 'segmentWords' ? segmentWords : undefined);
  const vocabulary = reader.fields.boolean('is_fixed_vocabulary') === true ? features : undefined;
  return reader.make((read) => make({ ...read, ...(tokenizer && { tokenizer }), ...(vocabulary && { vocabulary }) }, features), {
    norm: (value) => value,
    tokenPattern: (value) => given.tokenPattern ?? patternOf(reader, value),
  });
}

function patternOf(reader: EstimatorReader, source: unknown): RegExp | undefined {
  const flags = reader.fields.string('token_pattern_flags');
  if (source === null || (flags === undefined && source === kPythonPattern)) return undefined;
  const wrong = (): Error =>
    reader.fields.error(
      'token_pattern',
      'a pattern of JavaScript, with token_pattern_flags beside params, or option tokenPattern,',
      source,
    );
  if (typeof source !== 'string' || flags === undefined) throw wrong();
  try {
    return new RegExp(source, flags);
  } catch {
    throw wrong();
  }
}
