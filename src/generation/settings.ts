import { isJsonObject, type JsonObject } from '../checkpoint/json-fields.js';
import { BerthaError } from '../errors.js';
import { received, unexpected, wrongOption } from '../expected.js';
import type { Check } from '../options.js';
import { isUnsupported, settingTable, unsupportedSettings, type SettingTable } from './setting-table.js';

/**
 * How a text is generated, under transformers' names in camel case. What is left out comes from generation_config.json, then from
 * config.json, then from the defaults; null is the default whatever the files say.
 */
export type GenerationSettings = { readonly [Key in keyof SettingTable]?: ReturnType<SettingTable[Key]['check']> | null | undefined };

/** What a model's files say about generating, as JSON: each may be missing. */
export interface GenerationFiles {
  /** generation_config.json. */
  readonly generationConfig?: JsonObject | undefined;
  /** config.json; an encoder-decoder's has a configuration `decoder` inside. */
  readonly config: JsonObject;
}

/** What the model allows. */
export interface GenerationLimits {
  /** Most decoder ids of a text, prompt included: the decoder's positions. */
  readonly maxLength: number;
  /** Rows of the decoder's vocabulary. */
  readonly vocabSize: number;
  /** Whether the decoder reads a source: its prompt is the start token alone. */
  readonly isEncoderDecoder: boolean;
}

/** The settings of one text, complete: what the native search takes. */
export interface SearchSettings {
  /** Most ids, prompt included. */
  readonly maxLength: number;
  /** No end before so many ids, prompt included. */
  readonly minLength: number;
  readonly numBeams: number;
  readonly numReturnSequences: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly doSample: boolean;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly repetitionPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly encoderNoRepeatNgramSize: number;
  readonly badWordsIds: readonly (readonly number[])[];
  /** -1: none. */
  readonly forcedBosTokenId: number;
  readonly forcedEosTokenId: readonly number[];
  readonly suppressTokens: readonly number[];
  readonly beginSuppressTokens: readonly number[];
  readonly renormalizeLogits: boolean;
  readonly eosTokenId: readonly number[];
  readonly seed: number;
  /** Numbers in [0, 1) to draw with, one a step, instead of the seed's: reference texts are made with such. */
  readonly uniforms?: readonly number[];
}

/** Why a text ended: an end token, its limit, one of the `stop` texts, or the call's deadline. */
export type FinishReason = 'eos' | 'length' | 'stop' | 'abort' | 'deadline';

/** A text that the native search found, as ids. */
export interface Sequence {
  /** Prompt included. */
  readonly ids: readonly number[];
  /** Of each new id, after the rules. */
  readonly logProbabilities: readonly number[];
  /** Of beams: which beam of its step each new id was added to. */
  readonly beams: readonly number[];
  /** Sum of the log-probabilities / new ids to the power of `lengthPenalty`. */
  readonly score: number;
  /** null: it goes on. */
  readonly finish: FinishReason | null;
}

/** The settings of a call, checked, before a prompt is known. */
export interface ReadSettings {
  /** By the names of `GenerationSettings`: values in force. */
  readonly values: Readonly<Values>;
  /** What an error calls the place that a setting came from. */
  sourceOf(name: keyof SettingTable): string;
  /** The id that a decoder begins with; undefined: no file says. */
  readonly startId: number | undefined;
  /** Texts whose appearance ends a text. */
  readonly stop: readonly string[];
}

type Values = { [Key in keyof SettingTable]: ReturnType<SettingTable[Key]['check']> | undefined };
type Name = keyof SettingTable;

const names = Object.keys(settingTable) as readonly Name[];
const samplingNames: readonly Name[] = ['temperature', 'topK', 'topP', 'minP', 'typicalP', 'seed'];
const tokenNames: readonly Name[] = ['decoderStartTokenId', 'bosTokenId', 'eosTokenId', 'padTokenId'];

/** The checks of `GenerationSettings` as options of a call: null stays null. */
export const settingSchema = Object.fromEntries([
  ...names.map((name) => [name, orNull<unknown>(settingTable[name].check)] as const),
  ...Object.entries(unsupportedSettings).map(([name, { neutral, why }]) => [name, onlyNeutral(neutral, why)] as const),
]) as { readonly [Key in Name]: Check<ReturnType<SettingTable[Key]['check']> | null> };

/** Each setting's name in Python by its name here. */
export const pythonNames = Object.fromEntries(names.map((name) => [name, settingTable[name].python])) as Readonly<Record<Name, string>>;

/**
 * The settings of a call: its own, read by `settingSchema`, then generation_config.json's, then those at the top of config.json (an encoder-decoder's token
 * ids also from its decoder's configuration), then the defaults.
 *
 * Errors: INVALID_OPTION (a value or a combination that cannot be, with the rule), INVALID_IDS (an empty word, an id outside the
 * vocabulary), MAX_LENGTH, CONFIG (a file's value that cannot be), CONFIG_UNSUPPORTED (a file asks for another way of searching).
 */
export function readSettings(
  call: string,
  given: Readonly<Record<string, unknown>>,
  files: GenerationFiles,
  limits: GenerationLimits,
): ReadSettings {
  const sources = filesOf(files);
  const values: Record<string, unknown> = {};
  const places = new Map<Name, string>();
  const take = (name: Name): void => {
    if (given[name] !== undefined) {
      places.set(name, `${call} option ${name}`);
      values[name] = given[name] ?? undefined;
      return;
    }
    const found = sources.find(({ object, only }) => (only?.includes(name) ?? true) && isSaid(object, settingTable[name].python));
    if (found === undefined) return;
    places.set(name, `${JSON.stringify(settingTable[name].python)} of ${found.file}`);
    values[name] = fileValue(name, found.object[settingTable[name].python], places.get(name)!);
  };
  // A length that a call gives stands for both ways of saying it.
  for (const [one, other] of lengthPairs) {
    if (isGiven(given[one]) && isGiven(given[other]))
      throw wrongOption(`only one of ${one} and ${other} for ${call}`, given[other], {
        hint: `${one} counts the prompt, ${other} does not.`,
      });
  }
  for (const name of names) if (!isReplaced(name, given) && !samplingNames.includes(name)) take(name);
  const doSample = values['doSample'] === true;
  for (const name of samplingNames) {
    if (doSample) take(name);
    else if (isGiven(given[name]))
      throw wrongOption(`doSample: true beside ${name} for ${call}`, given[name], {
        hint: `Without sampling ${name} changes nothing: leave it out.`,
      });
  }
  for (const { file, object } of sources) refuseUnsupported(file, object);
  for (const name of names) if (values[name] === undefined) values[name] = settingTable[name].neutral;
  if (doSample && !places.has('topK')) values['topK'] = 50;
  const read: ReadSettings = {
    values: values as unknown as Values,
    sourceOf: (name) => places.get(name) ?? `the default of ${name}`,
    startId: (values['decoderStartTokenId'] ?? values['bosTokenId']) as number | undefined,
    stop: values['stop'] as readonly string[],
  };
  checkTogether(call, read);
  checkIds(read, limits.vocabSize);
  return read;
}

/**
 * The settings of one text whose decoder begins with `promptLength` ids. `newTokens`: how many to write where nothing says it, at most
 * what fits; left out: what fits.
 *
 * Errors: MAX_LENGTH (the call asks for more than the decoder's positions; what only files ask for is cut), INVALID_OPTION (a minimum
 * that no text can reach).
 */
export function settingsOf(
  read: ReadSettings,
  promptLength: number,
  seed: number,
  limits: GenerationLimits,
  newTokens = Infinity,
): SearchSettings {
  const { values, sourceOf } = read;
  const largest = limits.maxLength;
  if (promptLength >= largest) {
    throw unexpected('MAX_LENGTH', `a prompt of less than ${largest} tokens, the decoder's positions`, `${promptLength}`);
  }
  const { maxLength, minLength, ...rest } = lengthsOf(values, promptLength, newTokens);
  const name = rest.limit;
  if (maxLength > largest && name !== undefined && sourceOf(name).includes(' option ')) {
    const most = name === 'maxNewTokens' ? largest - promptLength : largest;
    throw unexpected('MAX_LENGTH', `at most ${most} for ${sourceOf(name)}`, `${values[name]}`, {
      hint: `The decoder has ${largest} positions, ${promptLength} of which the prompt takes.`,
    });
  }
  const end = Math.min(maxLength, largest);
  if (end <= promptLength) {
    throw unexpected(
      'MAX_LENGTH',
      `more than the prompt's ${promptLength} tokens for ${name === undefined ? 'the limit' : sourceOf(name)}`,
      `${end}`,
    );
  }
  if (minLength > 0 && minLength >= end) {
    throw wrongOption(`fewer than the limit of ${end} tokens, prompt included, for ${sourceOf(rest.least)}`, values[rest.least], {
      hint: `Lower ${rest.least} or raise the limit.`,
    });
  }
  return { ...searchValues(values), maxLength: end, minLength, seed };
}

/** How long a text may and must become. `limit`, `least`: the settings that say so. */
function lengthsOf(values: Readonly<Values>, promptLength: number, newTokens: number) {
  const { maxNewTokens, maxLength, minNewTokens, minLength } = values;
  const limit = maxNewTokens !== undefined ? ('maxNewTokens' as const) : maxLength !== undefined ? ('maxLength' as const) : undefined;
  const fromNew = minNewTokens === undefined ? 0 : promptLength + minNewTokens;
  return {
    limit,
    least: fromNew > (minLength ?? 0) ? ('minNewTokens' as const) : ('minLength' as const),
    maxLength: limit === 'maxNewTokens' ? promptLength + maxNewTokens! : (maxLength ?? promptLength + newTokens),
    minLength: Math.max(minLength ?? 0, fromNew),
  };
}

function searchValues(values: Readonly<Values>): Omit<SearchSettings, 'maxLength' | 'minLength' | 'seed'> {
  return {
    numBeams: values.numBeams!,
    numReturnSequences: values.numReturnSequences!,
    lengthPenalty: values.lengthPenalty!,
    earlyStopping: values.earlyStopping!,
    doSample: values.doSample!,
    temperature: values.temperature!,
    topK: values.topK!,
    topP: values.topP!,
    minP: values.minP!,
    typicalP: values.typicalP!,
    repetitionPenalty: values.repetitionPenalty!,
    noRepeatNgramSize: values.noRepeatNgramSize!,
    encoderNoRepeatNgramSize: values.encoderNoRepeatNgramSize!,
    badWordsIds: values.badWordsIds!,
    forcedBosTokenId: values.forcedBosTokenId ?? -1,
    forcedEosTokenId: values.forcedEosTokenId!,
    suppressTokens: values.suppressTokens!,
    beginSuppressTokens: values.beginSuppressTokens!,
    renormalizeLogits: values.renormalizeLogits!,
    eosTokenId: values.eosTokenId!,
  };
}

const lengthPairs = [
  ['maxLength', 'maxNewTokens'],
  ['minLength', 'minNewTokens'],
] as const;

/** Whether the call says the same length in the other way, so that a file's does not count. */
function isReplaced(name: Name, given: Readonly<Record<string, unknown>>): boolean {
  return lengthPairs.some(([one, other]) => (name === one && isGiven(given[other])) || (name === other && isGiven(given[one])));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

interface FileSource {
  readonly file: string;
  readonly object: JsonObject;
  /** Only these settings are read from it. */
  readonly only?: readonly Name[];
}

function filesOf({ generationConfig, config }: GenerationFiles): FileSource[] {
  const { decoder } = config;
  return [
    ...(generationConfig === undefined ? [] : [{ file: 'generation_config.json', object: generationConfig }]),
    { file: 'config.json', object: config },
    ...(isJsonObject(decoder) ? [{ file: 'decoder in config.json', object: decoder, only: tokenNames }] : []),
  ];
}

function isSaid(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key) && isGiven(object[key]);
}

function fileValue(name: Name, value: unknown, place: string): unknown {
  try {
    return settingTable[name].check(value, place);
  } catch (error) {
    throw error instanceof BerthaError && error.kind === 'usage' ? new BerthaError('CONFIG', error.message, { cause: error }) : error;
  }
}

function refuseUnsupported(file: string, object: JsonObject): void {
  for (const { python, neutral, why } of Object.values(unsupportedSettings)) {
    if (!isSaid(object, python) || !isUnsupported(object[python], neutral)) continue;
    throw unexpected('CONFIG_UNSUPPORTED', `no ${JSON.stringify(python)} in ${file}`, received(object[python]), { hint: why });
  }
}

function checkTogether(call: string, { values, sourceOf }: ReadSettings): void {
  const { numBeams, numReturnSequences, doSample } = values;
  if (doSample === true && numBeams! > 1) {
    throw wrongOption(`1 beside doSample: true for ${sourceOf('numBeams')}`, numBeams, { hint: 'Pass numBeams: 1, or doSample: false.' });
  }
  const most = doSample === true ? Infinity : numBeams!;
  if (numReturnSequences! > most) {
    const hint =
      numBeams === 1 ? 'Without beams or doSample: true there is one text.' : 'A search returns at most as many texts as it has beams.';
    throw wrongOption(`at most numBeams, ${most}, for ${sourceOf('numReturnSequences')}`, numReturnSequences, { hint });
  }
  if (values.stop!.length > 0 && numBeams! > 1) {
    throw wrongOption(`no stop strings beside ${numBeams} beams for ${call}`, values.stop, { hint: 'Pass numBeams: 1.' });
  }
}

function checkIds({ values, sourceOf }: ReadSettings, vocabSize: number): void {
  for (const name of names) {
    if (!settingTable[name].ids) continue;
    const value = values[name] as number | readonly (number | readonly number[])[] | undefined;
    const ids = value === undefined ? [] : typeof value === 'number' ? [value] : value.flat();
    const stranger = ids.find((id) => id >= vocabSize);
    if (stranger !== undefined) throw outside(stranger, vocabSize, sourceOf(name));
  }
}

function outside(id: number, vocabSize: number, place: string): BerthaError {
  return unexpected('INVALID_IDS', `ids from 0 to ${vocabSize - 1} for ${place}`, String(id));
}

function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, name) => (value === null ? null : check(value, name));
}

function onlyNeutral(neutral: readonly unknown[], why: string): Check<null> {
  return (value, name) => {
    if (!isUnsupported(value, neutral)) return null;
    throw wrongOption(`no ${name}`, value, { hint: why });
  };
}
