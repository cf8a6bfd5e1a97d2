// The options of generating text that commands offer, and what their help says of them.
import { settingTable, type SettingTable } from '../../generation/setting-table.js';
import { oneOf, text, type Check } from '../../options.js';
import type { GenerateOptions, SummarizeOptions, TranslateOptions } from '../../index.js';
import type { WritingOptions } from '../../training/index.js';
import { optionFlags, type OptionFlag } from './option-flags.js';

type Setting = keyof SettingTable;

/** The checks of settings by their names. */
function checksOf<Name extends Setting>(...names: readonly Name[]): Record<Name, Check<unknown>> {
  return Object.fromEntries(names.map((name) => [name, settingTable[name].check])) as unknown as Record<Name, Check<unknown>>;
}

const searching = {
  numBeams: { name: 'beams', says: "beams of the search, 1 for the likeliest word each time (default: as the model's files say, else 1)" },
  maxNewTokens: "most new tokens (default: as the model's files say, else what its positions hold)",
  minNewTokens: 'no end before so many new tokens',
  lengthPenalty: 'beams are compared by their score / length to this power (default: 1)',
  repetitionPenalty: 'makes words that are there already less likely, above 1',
  noRepeatNgramSize: 'no run of so many tokens occurs twice',
} satisfies Partial<Record<Setting, string | OptionFlag>>;
const searchChecks = checksOf('numBeams', 'maxNewTokens', 'minNewTokens', 'lengthPenalty', 'repetitionPenalty', 'noRepeatNgramSize');

/** Of `bertha translate`. */
export const translateFlags = optionFlags<
  Pick<TranslateOptions, keyof typeof searchChecks | 'targetLanguage' | 'sourceLanguage' | 'split'>
>(
  { ...searchChecks, targetLanguage: text, sourceLanguage: text, split: oneOf(['sentences', 'none']) },
  {
    targetLanguage: { name: 'to', value: 'language', says: 'the language to translate into, of a model for several: de for >>de<<' },
    sourceLanguage: {
      name: 'from',
      value: 'language',
      says: "the texts' language, whose rules tell sentences apart (default: the system's)",
    },
    split: { says: 'translate each sentence by itself, for texts longer than the model reads (default: none)' },
    ...searching,
  },
);

/** Of `bertha summarize`. */
export const summarizeFlags = optionFlags<Pick<SummarizeOptions, keyof typeof searchChecks>>(searchChecks, searching);

/** Of `bertha evaluate translate` and `summarize`. */
export const writingFlags = optionFlags<Pick<WritingOptions, 'numBeams' | 'maxNewTokens'>>(checksOf('numBeams', 'maxNewTokens'), {
  numBeams: searching.numBeams,
  maxNewTokens: searching.maxNewTokens,
});

const drawChecks = checksOf('doSample', 'temperature', 'topK', 'topP', 'minP', 'typicalP', 'seed', 'numReturnSequences', 'stop');

/** Of `bertha generate`. */
export const generateFlags = optionFlags<Pick<GenerateOptions, keyof typeof searchChecks | keyof typeof drawChecks>>(
  { ...searchChecks, ...drawChecks },
  {
    ...searching,
    doSample: { name: 'sample', says: 'draw words at random instead of taking the likeliest' },
    temperature: 'divides the logits before a draw (default: 1)',
    topK: { short: 'k', says: 'draw among the n likeliest words; 0: among all (default: 50)' },
    topP: 'draw among the likeliest words that together have this probability (default: 1)',
    minP: "draw among words with at least this share of the likeliest one's probability (default: 0)",
    typicalP: 'draw among the words nearest to the expected information, of this probability together (default: 1)',
    seed: 'the same seed draws the same text (default: a random one, which is told)',
    numReturnSequences: { name: 'return', says: 'texts for each input: the best beams, or so many draws (default: 1)' },
    stop: { value: 'texts', says: 'texts that end a text where they appear, with commas between them' },
  },
);
