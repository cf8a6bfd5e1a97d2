import { unexpected } from '../expected.js';
import { type Check, flag, integer, oneOf, type Options, readOptions, received, tokenLimit } from '../options.js';
import type { TokenizerDefinition } from './definition/definition.js';
import { countSpecial, type TemplatePiece, withoutSpecial } from './definition/template.js';
import type { Side, TruncationStrategy } from './definition/truncation.js';

/** Options of `encode` and `encodeBatch`. */
export interface EncodeOptions {
  /** The second text of a pair. Only for `encode`; `encodeBatch` takes pairs as `[first, second]`. */
  readonly pair?: string | undefined;
  /** Whether and where tokens are cut off to keep to `maxLength`; true = 'longest_first'. Default: false, or true if only maxLength is given. */
  readonly truncation?: boolean | TruncationStrategy | undefined;
  /** The length limit in tokens, special tokens included. Default: the model's. */
  readonly maxLength?: number | undefined;
  /** Makes `overflowing` hold what was cut off, as windows of the same length. Default: true if `stride` is given. */
  readonly overflow?: boolean | undefined;
  /** Tokens that neighbouring windows share. Default: 0. */
  readonly stride?: number | undefined;
  /** Fills up with [PAD]: true or 'longest' to the longest of the batch, 'max_length' to `maxLength`. Default: false. */
  readonly padding?: boolean | 'longest' | 'max_length' | undefined;
  /** With padding: rounds the length up to a multiple of this. Default: 1. */
  readonly padToMultipleOf?: number | undefined;
  /** Default: as tokenizer_config.json says, else 'right'. */
  readonly paddingSide?: Side | undefined;
  /** Default: as tokenizer_config.json says, else 'right'. */
  readonly truncationSide?: Side | undefined;
  /** Surrounds the text with the model's special tokens. Default: true. */
  readonly addSpecialTokens?: boolean | undefined;
  /** Fills `offsets`. Default: false. */
  readonly offsets?: boolean | undefined;
  /** Reads "[SEP]" and other special tokens in the text as ordinary characters: for text that is not trusted. Default: false. */
  readonly splitSpecialTokens?: boolean | undefined;
}

/** Texts longer than this (64 MiB in memory) are refused. */
export const MAX_TEXT_UNITS = 1 << 25;

const LIMIT = Number.MAX_SAFE_INTEGER;

const truncation: Check<boolean | TruncationStrategy> = (value, name) => {
  if (typeof value === 'boolean') return value;
  return oneOf(['longest_first', 'only_first', 'only_second'])(value, name);
};

const padding: Check<boolean | 'longest' | 'max_length'> = (value, name) => {
  if (typeof value === 'boolean') return value;
  return oneOf(['longest', 'max_length'])(value, name);
};

const side = oneOf(['left', 'right']);

const SCHEMA = {
  pair: (value: unknown) => checkText(value, 'the pair'),
  truncation,
  maxLength: tokenLimit(0),
  overflow: flag,
  stride: integer(0, LIMIT),
  padding,
  padToMultipleOf: integer(1, 1 << 24),
  paddingSide: side,
  truncationSide: side,
  addSpecialTokens: flag,
  offsets: flag,
  splitSpecialTokens: flag,
};
const { pair: _, ...BATCH_SCHEMA } = SCHEMA;

/** The options of one call with their defaults filled in. */
export interface EncodeSettings {
  readonly pair: string | undefined;
  readonly single: readonly TemplatePiece[];
  readonly pairs: readonly TemplatePiece[];
  /** undefined: nothing is cut. Else `maxLength` is a number. */
  readonly truncation: TruncationStrategy | undefined;
  readonly truncationSide: Side;
  readonly maxLength: number | undefined;
  readonly stride: number;
  readonly overflow: boolean;
  /** undefined: no padding. */
  readonly padTo: 'longest' | number | undefined;
  readonly padToMultipleOf: number;
  readonly paddingSide: Side;
  readonly offsets: boolean;
  readonly splitSpecialTokens: boolean;
}

/** What a tokenizer brings to the defaults. */
export interface EncodeDefaults {
  readonly definition: TokenizerDefinition;
  readonly maxLength: number | undefined;
  readonly maxPositions: number | undefined;
  /** Follow the truncation and padding entries of tokenizer.json. */
  readonly useFileDefaults: boolean;
}

/** Checks the options of a call. Errors: INVALID_OPTION, INVALID_ARG, MAX_LENGTH, INPUT_TOO_LARGE. */
export function readEncodeOptions(
  call: 'encode' | 'encodeBatch',
  options: EncodeOptions | undefined,
  defaults: EncodeDefaults,
): EncodeSettings {
  const given: Options<typeof SCHEMA> = readOptions(call, options, call === 'encode' ? SCHEMA : BATCH_SCHEMA);
  const { definition } = defaults;
  const file = defaults.useFileDefaults ? definition.fileTruncation : undefined;
  const filePadding = defaults.useFileDefaults && given.padding === undefined ? definition.filePadding : undefined;
  const { template } = definition;
  const keepSpecial = given.addSpecialTokens ?? true;
  const strategy = given.truncation ?? file?.strategy ?? (given.maxLength !== undefined && given.padding !== 'max_length');
  const maxLength = given.maxLength ?? file?.maxLength ?? defaults.maxLength;
  const isPadded = given.padding !== undefined && given.padding !== false;
  const padTo = isPadded ? (given.padding === 'max_length' ? maxLength : 'longest') : filePadding?.length;
  const settings: EncodeSettings = {
    pair: given.pair,
    single: keepSpecial ? template.single : withoutSpecial(template.single),
    pairs: keepSpecial ? template.pair : withoutSpecial(template.pair),
    truncation: strategy === false ? undefined : strategy === true ? 'longest_first' : strategy,
    truncationSide: given.truncationSide ?? file?.side ?? definition.truncationSide,
    maxLength,
    stride: given.stride ?? file?.stride ?? 0,
    overflow: given.overflow ?? (given.stride !== undefined || (file?.stride ?? 0) > 0),
    padTo,
    padToMultipleOf: given.padToMultipleOf ?? filePadding?.padToMultipleOf ?? 1,
    paddingSide: given.paddingSide ?? filePadding?.side ?? definition.paddingSide,
    offsets: given.offsets ?? false,
    splitSpecialTokens: given.splitSpecialTokens ?? false,
  };
  checkLimit(settings, isPadded && given.padding === 'max_length', defaults.maxPositions);
  return settings;
}

function checkLimit({ truncation: strategy, maxLength }: EncodeSettings, padsToLimit: boolean, maxPositions: number | undefined): void {
  if (strategy === undefined && !padsToLimit) return;
  if (maxLength === undefined) {
    throw unexpected('INVALID_ARG', 'a maxLength for truncation or padding', 'none, and the model states no limit');
  }
  if (maxPositions !== undefined && maxLength > maxPositions) {
    throw unexpected('MAX_LENGTH', `at most ${maxPositions} tokens, the model's positions, for maxLength`, maxLength);
  }
}

/** The tokens that the texts may have beside the template's. Errors: MAX_LENGTH. */
export function roomFor(pieces: readonly TemplatePiece[], maxLength: number): number {
  const special = countSpecial(pieces);
  if (maxLength >= Math.max(1, special)) return maxLength - special;
  throw unexpected('MAX_LENGTH', `at least ${Math.max(1, special)} tokens, the special ones, for maxLength`, maxLength);
}

/** Errors: INVALID_ARG for what is not a string, INPUT_TOO_LARGE. */
export function checkText(text: unknown, name: string): string {
  if (typeof text !== 'string') throw unexpected('INVALID_ARG', `a string for ${name}`, received(text));
  if (text.length <= MAX_TEXT_UNITS) return text;
  throw unexpected('INPUT_TOO_LARGE', `at most ${MAX_TEXT_UNITS} UTF-16 units for ${name}`, text.length);
}
