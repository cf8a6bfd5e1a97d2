import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { readSettings, settingSchema, settingsOf, type GenerationFiles, type SearchSettings } from '../../src/generation/settings.js';
import { settingTable } from '../../src/generation/setting-table.js';
import { readOptions } from '../../src/options.js';
import { suite } from '../support/suite.js';

const t = suite('generation settings');

const limits = { maxLength: 40, vocabSize: 100, isEncoderDecoder: true };

function read(options: object, files: Partial<GenerationFiles> = {}) {
  return readSettings('generate', readOptions('generate', options, settingSchema), { config: {}, ...files }, limits);
}

function settingsFor(options: object, files: Partial<GenerationFiles> = {}, prompt = 1): SearchSettings {
  return settingsOf(read(options, files), prompt, 0, limits);
}

/** The settings cannot be; the message has all of `parts`. */
function assertRefused(code: string, options: object, parts: readonly string[], files: Partial<GenerationFiles> = {}, prompt = 1): void {
  const isRight = (error: unknown) =>
    error instanceof BerthaError && error.code === code && parts.every((part) => error.message.includes(part));
  try {
    settingsFor(options, files, prompt);
  } catch (error) {
    assert.ok(isRight(error), `${JSON.stringify(options)}: ${String((error as BerthaError).code)} ${String(error)}`);
    return;
  }
  assert.unreachable(`${JSON.stringify(options)} was taken`);
}

t('takes transformers’ defaults, and what fits', () => {
  assert.equal(settingsFor({}), {
    numBeams: 1,
    numReturnSequences: 1,
    lengthPenalty: 1,
    earlyStopping: false,
    doSample: false,
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    typicalP: 1,
    repetitionPenalty: 1,
    noRepeatNgramSize: 0,
    encoderNoRepeatNgramSize: 0,
    badWordsIds: [],
    forcedBosTokenId: -1,
    forcedEosTokenId: [],
    suppressTokens: [],
    beginSuppressTokens: [],
    renormalizeLogits: false,
    eosTokenId: [],
    maxLength: 40,
    minLength: 0,
    seed: 0,
  });
  assert.is(settingsFor({ doSample: true }).topK, 50);
  assert.is(settingsFor({ doSample: true, topK: 0 }).topK, 0);
  // The names of transformers' classes that take 20 where nobody says.
  assert.is(settingsOf(read({}), 3, 0, limits, 20).maxLength, 23);
  assert.is(settingsOf(read({}), 30, 0, limits, 20).maxLength, 40);
  assert.is(settingsOf(read({ maxLength: 9 }), 3, 0, limits, 20).maxLength, 9);
});

t('asks the call, generation_config.json, config.json and the decoder inside it, in this order', () => {
  const files = {
    generationConfig: { num_beams: 4, length_penalty: 0.6, no_repeat_ngram_size: null, eos_token_id: 7 },
    config: {
      num_beams: 9,
      no_repeat_ngram_size: 3,
      early_stopping: true,
      max_length: 14,
      eos_token_id: [1, 2],
      decoder: { decoder_start_token_id: 5, bos_token_id: 6, eos_token_id: 8, num_beams: 2, max_length: 20, min_length: 12 },
    },
  };
  const made = settingsFor({ lengthPenalty: 2 }, files);
  assert.equal(
    [made.numBeams, made.lengthPenalty, made.noRepeatNgramSize, made.earlyStopping, made.maxLength, made.minLength, made.eosTokenId],
    [4, 2, 3, true, 14, 0, [7]],
  );
  assert.is(read({}, files).startId, 5);
  assert.is(read({ decoderStartTokenId: 11 }, files).startId, 11);
  assert.is(read({}, { config: { bos_token_id: 3 } }).startId, 3);
  assert.is(read({}).startId, undefined);
  // null takes a file's setting away.
  assert.is(settingsFor({ numBeams: null, noRepeatNgramSize: null }, files).numBeams, 1);
  assert.is(settingsFor({ noRepeatNgramSize: null }, files).noRepeatNgramSize, 0);
});

t('counts new tokens from the prompt, and lets the call’s length stand for the files’', () => {
  assert.is(settingsFor({ maxNewTokens: 5 }, {}, 3).maxLength, 8);
  assert.is(settingsFor({ maxLength: 5 }, { generationConfig: { max_new_tokens: 30 } }, 3).maxLength, 5);
  assert.is(settingsFor({ maxNewTokens: 5 }, { generationConfig: { max_length: 30 } }, 3).maxLength, 8);
  assert.is(settingsFor({}, { generationConfig: { max_length: 30, max_new_tokens: 4 } }, 3).maxLength, 7);
  assert.is(settingsFor({ minNewTokens: 2 }, { config: { min_length: 30 } }, 3).minLength, 5);
  // What files ask for is cut at the positions; what the call asks for is not.
  assert.is(settingsFor({}, { generationConfig: { max_length: 512 } }).maxLength, 40);
  assertRefused('MAX_LENGTH', { maxLength: 41 }, ['at most 40', '41']);
  assertRefused('MAX_LENGTH', { maxNewTokens: 38 }, ['at most 37', '38'], {}, 3);
  assertRefused('MAX_LENGTH', { maxLength: 3 }, ['maxLength', '3'], {}, 3);
  assertRefused('MAX_LENGTH', {}, ['less than 40'], {}, 40);
  assertRefused('INVALID_OPTION', { maxLength: 9, maxNewTokens: 3 }, ['only one of maxLength and maxNewTokens']);
});

t('reads sampling’s settings of a file only where it samples', () => {
  const files = { generationConfig: { do_sample: true, temperature: 0.7, top_k: 9 } };
  assert.equal([settingsFor({}, files).temperature, settingsFor({}, files).topK], [0.7, 9]);
  assert.equal([settingsFor({ doSample: false }, files).temperature, settingsFor({ doSample: false }, files).topK], [1, 0]);
  // transformers writes such files; nothing is drawn there.
  assert.is(settingsFor({}, { generationConfig: { do_sample: false, temperature: 0 } }).temperature, 1);
});

t('refuses what cannot be, with the rule and the value', () => {
  const beams = { doSample: false, numBeams: 3 };
  const refused: readonly [string, object, readonly string[]][] = [
    ['INVALID_OPTION', { numReturnSequences: 4, ...beams }, ['at most numBeams, 3', 'numReturnSequences', '4']],
    ['INVALID_OPTION', { numReturnSequences: 2 }, ['numReturnSequences', '2', 'doSample']],
    ['INVALID_OPTION', { numBeams: 2, doSample: true }, ['numBeams', 'doSample']],
    ['INVALID_OPTION', { minLength: 9, maxLength: 9 }, ['minLength', '9']],
    ['INVALID_OPTION', { minNewTokens: 9, maxNewTokens: 9 }, ['minNewTokens', '9']],
    ['INVALID_OPTION', { doSample: true, temperature: 0 }, ['temperature', 'doSample: false']],
    ['INVALID_OPTION', { doSample: true, temperature: -1 }, ['above 0', '-1']],
    ['INVALID_OPTION', { doSample: true, temperature: NaN }, ['temperature', 'NaN']],
    ['INVALID_OPTION', { doSample: true, topP: 0 }, ['topP', 'above 0 and at most 1']],
    ['INVALID_OPTION', { doSample: true, topP: 1.01 }, ['topP', '1.01']],
    ['INVALID_OPTION', { doSample: true, minP: -0.1 }, ['minP']],
    ['INVALID_OPTION', { doSample: true, typicalP: 0 }, ['typicalP']],
    ['INVALID_OPTION', { doSample: true, topK: -1 }, ['topK', '-1']],
    ['INVALID_OPTION', { doSample: true, topK: 1.5 }, ['topK', '1.5']],
    ['INVALID_OPTION', { numBeams: 0 }, ['numBeams', '1 to 32', '0']],
    ['INVALID_OPTION', { numBeams: 33 }, ['numBeams', '33']],
    ['INVALID_OPTION', { doSample: true, seed: 0.5 }, ['seed']],
    ['INVALID_OPTION', { doSample: true, seed: -1 }, ['seed']],
    ['INVALID_OPTION', { doSample: true, seed: 2 ** 53 }, ['seed', '9007199254740992']],
    ['INVALID_OPTION', { topK: 5 }, ['doSample: true', 'topK']],
    ['INVALID_OPTION', { seed: 5 }, ['doSample: true', 'seed']],
    ['INVALID_OPTION', { doSample: false, temperature: 0.5 }, ['doSample: true', 'temperature']],
    ['INVALID_OPTION', { repetitionPenalty: 0 }, ['repetitionPenalty', 'above 0']],
    ['INVALID_OPTION', { lengthPenalty: Infinity }, ['lengthPenalty']],
    ['INVALID_OPTION', { earlyStopping: 'always' }, ['"never"', 'always']],
    ['INVALID_OPTION', { stop: [''] }, ['stop']],
    ['INVALID_OPTION', { stop: ['.'], numBeams: 2 }, ['numBeams: 1']],
    ['INVALID_OPTION', { numBeam: 2 }, ['numBeam', 'numBeams']],
    ['INVALID_OPTION', { num_beams: 2 }, ['numBeams']],
    ['INVALID_IDS', { badWordsIds: [[100]] }, ['badWordsIds', '99', '100']],
    ['INVALID_IDS', { badWordsIds: [[]] }, ['badWordsIds[0]']],
    ['INVALID_IDS', { badWordsIds: [5] }, ['badWordsIds[0]']],
    ['INVALID_IDS', { badWordsIds: [[-1]] }, ['badWordsIds[0][0]', '-1']],
    ['INVALID_IDS', { forcedBosTokenId: 100 }, ['forcedBosTokenId', '100']],
    ['INVALID_IDS', { forcedEosTokenId: [] }, ['forcedEosTokenId']],
    ['INVALID_IDS', { forcedEosTokenId: 1.5 }, ['forcedEosTokenId']],
    ['INVALID_IDS', { suppressTokens: [3, 100] }, ['suppressTokens', '100']],
    ['INVALID_IDS', { beginSuppressTokens: [100] }, ['beginSuppressTokens', '100']],
    ['INVALID_IDS', { eosTokenId: [0, 100] }, ['eosTokenId', '100']],
    ['INVALID_IDS', { decoderStartTokenId: 100 }, ['decoderStartTokenId', '100']],
  ];
  for (const [code, options, parts] of refused) assertRefused(code, options, parts);
  for (const options of [null, 5, []]) {
    assert.throws(
      () => readOptions('generate', options, settingSchema),
      (error: BerthaError) => error.code === 'INVALID_OPTION',
    );
  }
});

t('names other ways of searching, and lets what asks for nothing pass', () => {
  const asked = {
    numBeamGroups: 2,
    diversityPenalty: 0.5,
    constraints: [],
    forceWordsIds: [[1]],
    penaltyAlpha: 0.6,
    guidanceScale: 2,
    watermarkingConfig: {},
  };
  for (const [name, value] of Object.entries(asked)) assertRefused('INVALID_OPTION', { [name]: value }, [name]);
  assertRefused('CONFIG_UNSUPPORTED', {}, ['num_beam_groups', 'generation_config.json'], { generationConfig: { num_beam_groups: 2 } });
  assertRefused('CONFIG_UNSUPPORTED', {}, ['penalty_alpha', 'config.json'], { config: { penalty_alpha: 0.6 } });
  const neutral = { num_beam_groups: 1, diversity_penalty: 0.0, guidance_scale: null, encoder_repetition_penalty: 1.0, unknown_to_all: 5 };
  assert.is(settingsFor({ numBeamGroups: 1, constraints: null }, { config: neutral }).numBeams, 1);
});

t('says which file has a value that cannot be', () => {
  const wrong = { num_beams: 'four', bad_words_ids: [3], max_length: 0, early_stopping: 2, forced_eos_token_id: -1 };
  for (const [key, value] of Object.entries(wrong)) {
    assertRefused('CONFIG', {}, [key, 'generation_config.json'], { generationConfig: { [key]: value } });
    assertRefused('CONFIG', {}, [key, 'config.json'], { config: { [key]: value } });
  }
  assertRefused('INVALID_OPTION', { maxLength: 30 }, ['min_length', 'config.json', '56'], { config: { min_length: 56 } });
  assertRefused('INVALID_OPTION', { doSample: true }, ['num_beams', 'generation_config.json'], { generationConfig: { num_beams: 4 } });
  assert.is(settingsFor({ minLength: 0, maxLength: 30 }, { config: { min_length: 56 } }).minLength, 0);
});

t('has each of Python’s names once, spelled as here', () => {
  const names = Object.entries(settingTable).map(([name, { python }]) => [name, python] as const);
  assert.is(new Set(names.map(([, python]) => python)).size, names.length);
  for (const [name, python] of names) {
    if (name === 'stop') assert.is(python, 'stop_strings');
    else
      assert.is(
        python,
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      );
  }
});

t.run();
