import { halvesOf, appendDecoder, appendEncoder, type EncoderDecoderConfig } from '../../architectures/encoder-decoder/encoder-decoder.js';
import type { PartConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import { families } from '../../architectures/registry.js';
import { JsonFields } from '../../checkpoint/json-fields.js';
import { limitsOf } from '../../models/build-model.js';
import { ProgramBuilder } from '../../models/program/program.js';
import { NewTensors } from '../create/new-tensors.js';

/** A tensor of an encoder-decoder. */
export interface PairTensor {
  /** As transformers stores it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The half that it belongs to; of both halves' common tensors the encoder. */
  readonly half: 'encoder' | 'decoder';
  /** Its name in a model of the half's family alone, without a prefix; undefined for what joins the halves. */
  readonly own: string | undefined;
}

/** Whether both halves have one set of weights. */
export function isShared({ raw }: EncoderDecoderConfig): boolean {
  return new JsonFields(raw, 'config.json', 'CONFIG').boolean('tie_encoder_decoder') ?? false;
}

/** The tensors that the encoder-decoder of a configuration has, by building its program. Errors: CONFIG, CONFIG_UNSUPPORTED, MODEL_MISMATCH. */
export function pairTensors(config: EncoderDecoderConfig): readonly PairTensor[] {
  const family: Family = families[config.modelType];
  const isOneFamily = family.decoderFields !== undefined;
  const tensors = isOneFamily ? new OneFamilyTensors(config) : new HalvesTensors(config);
  const halves = halvesOf(new ProgramBuilder(limitsOf(config)), config, tensors);
  const { hiddenStates } = appendEncoder(halves, config);
  appendDecoder(halves, config.decoder, hiddenStates.at(-1)!);
  return [...tensors.shapes].map(([name, shape]) => ({ shape, ...(isOneFamily ? ofFamily(name, family) : ofHalf(name, config)) }));
}

/** Tensors of a model whose family has both halves: Marian's positions are computed. */
class OneFamilyTensors extends NewTensors {
  readonly #config: EncoderDecoderConfig;

  constructor(config: EncoderDecoderConfig) {
    super();
    this.#config = config;
  }

  override has(name: string): boolean {
    return this.#config.modelType !== 'marian' || !name.endsWith('embed_positions.weight');
  }
}

/** Tensors of two families' models in one file: bare encoders are `encoder.…` and `decoder.bert.…`, the words' head is `decoder.…`. */
class HalvesTensors extends NewTensors {
  readonly #config: EncoderDecoderConfig;

  constructor(config: EncoderDecoderConfig) {
    super();
    this.#config = config;
  }

  override has(name: string): boolean {
    if (name.startsWith('encoder.')) return !isShared(this.#config);
    const { decoder } = this.#config;
    const prefix = decoderPrefix(decoder);
    if (name.startsWith(prefix)) return kBody.test(name.slice(prefix.length));
    const own = name.replace(/^decoder\./, '');
    return own !== name && !kBody.test(own) && !isTied(own, decoder);
  }
}

/** Whether a tensor of a head is the table of words under another name, which is stored once, or its bias. */
export function isTied(own: string, { modelType, tieWordEmbeddings }: PartConfig): boolean {
  const matrix = families[modelType].decoder;
  return tieWordEmbeddings && (own === matrix || own === matrix.replace(/weight$/, 'bias'));
}

/** What an encoder's own tensors are called, and no head's. */
const kBody = /^(?:embeddings|encoder)\./;

function decoderPrefix({ modelType }: PartConfig): string {
  return `decoder.${families[modelType].prefixes[0]}`;
}

function ofFamily(own: string, { prefixes }: Family): Omit<PairTensor, 'shape'> {
  const isBody = /^(?:shared|encoder|decoder)\./.test(own);
  return { name: isBody ? prefixes[0] + own : own, half: own.startsWith('encoder.') ? 'encoder' : 'decoder', own };
}

function ofHalf(name: string, config: EncoderDecoderConfig): Omit<PairTensor, 'shape'> {
  if (name.startsWith('encoder.')) return { name, half: 'encoder', own: name.slice('encoder.'.length) };
  if (!name.startsWith('decoder.')) return { name, half: 'decoder', own: undefined };
  const prefix = decoderPrefix(config.decoder);
  const isBody = name.startsWith(prefix);
  const isCommon = isShared(config) && isBody && !name.includes('.crossattention.');
  return { name, half: isCommon ? 'encoder' : 'decoder', own: name.slice(isBody ? prefix.length : 'decoder.'.length) };
}
