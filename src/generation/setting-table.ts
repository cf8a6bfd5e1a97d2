import { unexpected, wrongOption } from '../expected.js';
import { finite, flag, integer, received, taking, tokenLimit, type Check } from '../options.js';

/** One setting: its name in transformers' files, the check of its value, and what it is where nobody says. */
export interface Setting<T> {
  readonly python: string;
  readonly check: Check<T>;
  readonly neutral: T | undefined;
  /** Whether its values are ids of the decoder's vocabulary. */
  readonly ids?: boolean;
}

/** The settings of generating text, by their names here. */
export interface SettingTable {
  /** Most ids of a text, its prompt (an encoder-decoder's start token) included. Default: the model's files, else its positions. */
  readonly maxLength: Setting<number>;
  /** Most new ids; stands for `maxLength`, with which it cannot be given. */
  readonly maxNewTokens: Setting<number>;
  /** No end token before a text has so many ids, its prompt included. Default 0. */
  readonly minLength: Setting<number>;
  /** No end token before so many new ids; stands for `minLength`. */
  readonly minNewTokens: Setting<number>;
  /** Beams, 1 to 32. Default 1: greedy search. */
  readonly numBeams: Setting<number>;
  /** How many texts each input gives: of beams the best, with `doSample` so many draws. Default 1. */
  readonly numReturnSequences: Setting<number>;
  /** Beams are compared by sum of log-probabilities / new tokens to this power. Default 1. */
  readonly lengthPenalty: Setting<number>;
  /** `true`: as soon as all beams are finished; `false`: when no better text is likely; `'never'`: when none is possible. Default `false`. */
  readonly earlyStopping: Setting<boolean | 'never'>;
  /** Draws tokens at random instead of taking the likeliest. Default false. */
  readonly doSample: Setting<boolean>;
  /** Divides the logits before a draw, above 0. Default 1. */
  readonly temperature: Setting<number>;
  /** Draws among the so many likeliest tokens; 0: among all. Default 50. */
  readonly topK: Setting<number>;
  /** Draws among the likeliest tokens that together have this probability, above 0 and at most 1. Default 1. */
  readonly topP: Setting<number>;
  /** Draws among tokens that have at least this share of the likeliest one's probability. Default 0. */
  readonly minP: Setting<number>;
  /** Locally typical sampling: draws among the tokens nearest to the expected information, of this probability together. Default 1. */
  readonly typicalP: Setting<number>;
  /** Seed of the draws, 0 to 2^53 - 1. Default: a random one, which the result has. */
  readonly seed: Setting<number>;
  /** Divides positive and multiplies negative logits of ids that the text already has, above 0. Default 1. */
  readonly repetitionPenalty: Setting<number>;
  /** No run of so many ids occurs twice in a text; 0: no such rule. Default 0. */
  readonly noRepeatNgramSize: Setting<number>;
  /** No run of so many ids of the source occurs in the text; 0: no such rule. Default 0. */
  readonly encoderNoRepeatNgramSize: Setting<number>;
  /** Words, each a list of ids, that no text contains. */
  readonly badWordsIds: Setting<readonly (readonly number[])[]>;
  /** The id after the start token. */
  readonly forcedBosTokenId: Setting<number>;
  /** The ids, one of which is the last where `maxLength` is reached. */
  readonly forcedEosTokenId: Setting<readonly number[]>;
  /** Ids that are never written. */
  readonly suppressTokens: Setting<readonly number[]>;
  /** Ids that are not written first. */
  readonly beginSuppressTokens: Setting<readonly number[]>;
  /** Makes log-probabilities of what the other rules left. Default false. */
  readonly renormalizeLogits: Setting<boolean>;
  /** Texts that end a text where they appear in it; they are left out. */
  readonly stop: Setting<readonly string[]>;
  /** The id that a decoder begins with. Default: the model's. */
  readonly decoderStartTokenId: Setting<number>;
  /** What a decoder begins with where no `decoderStartTokenId` is known. */
  readonly bosTokenId: Setting<number>;
  /** The ids that end a text. Default: the model's. */
  readonly eosTokenId: Setting<readonly number[]>;
  /** Read for transformers' sake: nothing is padded here. */
  readonly padTokenId: Setting<number>;
}

/** Most texts of one input, and most beams. */
const mostBeams = 32;
const mostTokens = 2 ** 30;

const tokenId: Check<number> = (value, name) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw unexpected('INVALID_IDS', `an id, a whole number from 0, for ${name}`, received(value));
};

const idList: Check<readonly number[]> = (value, name) => {
  if (!Array.isArray(value)) throw unexpected('INVALID_IDS', `an array of ids for ${name}`, received(value));
  return value.map((id, i) => tokenId(id, `${name}[${i}]`));
};

const oneOrMoreIds: Check<readonly number[]> = (value, name) => {
  if (!Array.isArray(value)) return [tokenId(value, name)];
  if (value.length === 0) throw unexpected('INVALID_IDS', `at least one id for ${name}`, received(value));
  return idList(value, name);
};

const words: Check<readonly (readonly number[])[]> = (value, name) => {
  if (!Array.isArray(value)) throw unexpected('INVALID_IDS', `an array of lists of ids for ${name}`, received(value));
  return value.map((word, i) => oneOrMoreIds(Array.isArray(word) ? word : [], `${name}[${i}]`));
};

const stopStrings: Check<readonly string[]> = taking({ kind: 'texts' }, (value, name) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = list.find((each) => typeof each !== 'string' || each === '');
  if (list.length === 0 || wrong === undefined) return list as readonly string[];
  throw wrongOption(`a text, not empty, or an array of such for ${name}`, wrong);
});

const stopping: Check<boolean | 'never'> = (value, name) => {
  if (typeof value === 'boolean' || value === 'never') return value;
  throw wrongOption(`true, false or "never" for ${name}`, value);
};

const aboveZero: Check<number> = taking({ kind: 'number' }, (value, name) => {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw wrongOption(`a finite number above 0 for ${name}`, value);
});

const temperature: Check<number> = taking({ kind: 'number' }, (value, name) => {
  if (value !== 0) return aboveZero(value, name);
  throw wrongOption(`a finite number above 0 for ${name}`, value, { hint: 'For the likeliest tokens use doSample: false.' });
});

/** A check for a share of 1, with or without 0. */
function share(withZero: boolean): Check<number> {
  return taking({ kind: 'number' }, (value, name) => {
    if (typeof value === 'number' && value <= 1 && (withZero ? value >= 0 : value > 0)) return value;
    throw wrongOption(`a number ${withZero ? 'from' : 'above'} 0 and at most 1 for ${name}`, value);
  });
}

/** Every setting: name here, name in Python, check, neutral value. */
export const settingTable: SettingTable = {
  maxLength: { python: 'max_length', check: tokenLimit(), neutral: undefined },
  maxNewTokens: { python: 'max_new_tokens', check: tokenLimit(), neutral: undefined },
  minLength: { python: 'min_length', check: integer(0, mostTokens), neutral: 0 },
  minNewTokens: { python: 'min_new_tokens', check: integer(0, mostTokens), neutral: undefined },
  numBeams: { python: 'num_beams', check: integer(1, mostBeams), neutral: 1 },
  numReturnSequences: { python: 'num_return_sequences', check: integer(1, mostBeams), neutral: 1 },
  lengthPenalty: { python: 'length_penalty', check: finite, neutral: 1 },
  earlyStopping: { python: 'early_stopping', check: stopping, neutral: false },
  doSample: { python: 'do_sample', check: flag, neutral: false },
  temperature: { python: 'temperature', check: temperature, neutral: 1 },
  topK: { python: 'top_k', check: integer(0, mostTokens), neutral: 0 },
  topP: { python: 'top_p', check: share(false), neutral: 1 },
  minP: { python: 'min_p', check: share(true), neutral: 0 },
  typicalP: { python: 'typical_p', check: share(false), neutral: 1 },
  seed: { python: 'seed', check: integer(0, Number.MAX_SAFE_INTEGER), neutral: undefined },
  repetitionPenalty: { python: 'repetition_penalty', check: aboveZero, neutral: 1 },
  noRepeatNgramSize: { python: 'no_repeat_ngram_size', check: integer(0, mostTokens), neutral: 0 },
  encoderNoRepeatNgramSize: { python: 'encoder_no_repeat_ngram_size', check: integer(0, mostTokens), neutral: 0 },
  badWordsIds: { python: 'bad_words_ids', check: words, neutral: [], ids: true },
  forcedBosTokenId: { python: 'forced_bos_token_id', check: tokenId, neutral: undefined, ids: true },
  forcedEosTokenId: { python: 'forced_eos_token_id', check: oneOrMoreIds, neutral: [], ids: true },
  suppressTokens: { python: 'suppress_tokens', check: idList, neutral: [], ids: true },
  beginSuppressTokens: { python: 'begin_suppress_tokens', check: idList, neutral: [], ids: true },
  renormalizeLogits: { python: 'renormalize_logits', check: flag, neutral: false },
  stop: { python: 'stop_strings', check: stopStrings, neutral: [] },
  decoderStartTokenId: { python: 'decoder_start_token_id', check: tokenId, neutral: undefined, ids: true },
  bosTokenId: { python: 'bos_token_id', check: tokenId, neutral: undefined },
  eosTokenId: { python: 'eos_token_id', check: oneOrMoreIds, neutral: [], ids: true },
  padTokenId: { python: 'pad_token_id', check: tokenId, neutral: undefined },
};

interface Unsupported {
  readonly python: string;
  /** Values that ask for nothing. */
  readonly neutral: readonly unknown[];
  readonly why: string;
}

const groups = 'There are no groups of beams: use numBeams.';
const constraints = 'No words can be forced into a text, but its first and last token: forcedBosTokenId, forcedEosTokenId.';
const cuts = 'Draws are limited by topK, topP, minP and typicalP.';
const assistants = 'A text is generated by one model.';

/** Other ways of searching that transformers has: their names, what asks for nothing, and what to use. */
export const unsupportedSettings: Readonly<Record<string, Unsupported>> = {
  numBeamGroups: { python: 'num_beam_groups', neutral: [1], why: groups },
  diversityPenalty: { python: 'diversity_penalty', neutral: [0], why: groups },
  constraints: { python: 'constraints', neutral: [], why: constraints },
  forceWordsIds: { python: 'force_words_ids', neutral: [], why: constraints },
  penaltyAlpha: { python: 'penalty_alpha', neutral: [0], why: 'There is no contrastive search: use doSample or numBeams.' },
  doLaLayers: { python: 'dola_layers', neutral: [], why: 'Layers are not contrasted: use doSample or numBeams.' },
  guidanceScale: { python: 'guidance_scale', neutral: [1], why: 'There is no guidance by a second prompt.' },
  watermarkingConfig: { python: 'watermarking_config', neutral: [], why: 'Texts get no watermark.' },
  assistantModel: { python: 'assistant_model', neutral: [], why: assistants },
  promptLookupNumTokens: { python: 'prompt_lookup_num_tokens', neutral: [0], why: assistants },
  encoderRepetitionPenalty: { python: 'encoder_repetition_penalty', neutral: [1], why: 'Use encoderNoRepeatNgramSize.' },
  exponentialDecayLengthPenalty: { python: 'exponential_decay_length_penalty', neutral: [], why: 'Use lengthPenalty or maxLength.' },
  sequenceBias: { python: 'sequence_bias', neutral: [], why: 'Use badWordsIds.' },
  topH: { python: 'top_h', neutral: [], why: cuts },
  epsilonCutoff: { python: 'epsilon_cutoff', neutral: [0], why: cuts },
  etaCutoff: { python: 'eta_cutoff', neutral: [0], why: cuts },
  maxTime: { python: 'max_time', neutral: [], why: 'Use deadlineMs.' },
};

/** Whether a value of an unsupported setting asks for something: null and the neutral ones do not. */
export function isUnsupported(value: unknown, neutral: readonly unknown[]): boolean {
  return value !== undefined && value !== null && !neutral.includes(value);
}
