import { unexpected, wrongArgument } from '../../expected.js';
import { generateBy, type GeneratedText } from '../../generation/generate.js';
import { nativeEngine } from '../../generation/native-engine.js';
import { requireWriter } from '../../generation/prepare.js';
import { loadModel, type Model } from '../../models/index.js';
import type { ModelPath } from '../../hub/index.js';
import { integer } from '../../options.js';
import { readPretrained, type PretrainedOptions } from '../loading/options.js';
import { settingNames } from '../pipeline/setting-names.js';
import { toCamelCase, withCamelCase, type CamelCase, type WithCamelCase } from '../snake-case.js';
import { toRows, type IntegerInput } from '../tensor/integer-rows.js';
import { Tensor } from '../tensor/tensor.js';
import { readConfigFields } from './config.js';
import type { PreTrainedModel } from './model-class.js';
import { unpad, type ModelInputs } from './run-batch.js';
import { readStreamer, streaming, type Streamer } from './streamer.js';

/** What `generate` of a class takes: what a tokenizer's call returns, and settings under their names in Python or in camel case. */
export interface GenerateInputs extends Omit<ModelInputs, 'input_ids' | 'output_hidden_states' | 'output_attentions'> {
  /** [texts, tokens] of the encoder, or what a decoder alone goes on from. */
  readonly input_ids?: IntegerInput | undefined;
  /** The same. */
  readonly inputs?: IntegerInput | undefined;
  /** [texts, tokens]: what the decoder of an encoder-decoder begins with. */
  readonly decoder_input_ids?: IntegerInput | undefined;
  /** Hears one text while it is generated. */
  readonly streamer?: Streamer | null | undefined;
  /** Settings, behind those beside it. */
  readonly generation_config?: object | null | undefined;
  readonly [setting: string]: unknown;
}

/** A batch of an encoder-decoder: what its encoder and its decoder read. */
export interface WritingInputs extends Omit<ModelInputs, 'output_hidden_states' | 'output_attentions'> {
  /** [texts, tokens]; of an encoder-decoder alone. */
  readonly decoder_input_ids?: IntegerInput | undefined;
  readonly [other: string]: unknown;
}

/** A model that writes, called as in transformers.js. */
export interface WritingModel extends Pick<PreTrainedModel, 'model' | 'config' | 'dispose'> {
  /** `logits` [texts, tokens, vocab], of the decoder's tokens; rows of padding hold zeros. */
  (inputs: WritingInputs | CamelCase<ModelInputs>): Promise<WithCamelCase<{ readonly logits: Tensor<Float32Array> }>>;
  /**
   * Ids [texts · num_return_sequences, longest] as int64: of an encoder-decoder from the start token on, of a decoder alone behind the ids that were given.
   * Shorter texts are filled up with `pad_token_id`. 20 new tokens where nobody says how many.
   *
   * Errors: as the library's `generate`; INVALID_ARG for inputs that do not fit.
   */
  generate(inputs: GenerateInputs | Readonly<Record<string, unknown>>): Promise<Tensor<BigInt64Array>>;
}

/** `MarianMTModel`, `AutoModelForSeq2SeqLM` and their like. */
export interface WritingClass {
  /** Errors: as `loadModel`; NO_HEAD (a model that does not write), CONFIG_UNSUPPORTED (a directory of another class). */
  from_pretrained(model: ModelPath, options?: PretrainedOptions): Promise<WritingModel>;
}

/** A class of models that write; `what`: which, after "Expected". */
export function writingClass(what: string, fits: (model: Model) => boolean): WritingClass {
  return {
    from_pretrained: async (directory, given) => {
      const found = await readPretrained(directory, given);
      const model = await loadModel(found.model, { heads: true, ...found.options });
      try {
        requireWriter(model, 'from_pretrained');
        if (!fits(model)) {
          const is = model.config.architectures[0] ?? model.config.modelType;
          throw unexpected('CONFIG_UNSUPPORTED', `${what} for this class`, is, {
            hint: 'AutoModelForSeq2SeqLM and AutoModelForCausalLM take any.',
          });
        }
        const config = { ...(await readConfigFields(model.directory)), ...model.config };
        const call = (inputs: WritingInputs | CamelCase<ModelInputs>) => logitsOf(model, inputs);
        const dispose = async (): Promise<void> => model.dispose();
        return Object.assign(call, {
          model,
          config,
          dispose,
          generate: (inputs: GenerateInputs | Readonly<Record<string, unknown>>) => generateIds(model, inputs),
        }) as unknown as WritingModel;
      } catch (error) {
        model.dispose();
        throw error;
      }
    },
  };
}

type Named = Readonly<Record<string, unknown>>;

/** What a tokenizer's call returns and nothing reads. */
const unread = ['specialTokensMask', 'offsetMapping', 'length', 'overflowToSampleMapping', 'decoderAttentionMask'] as const;

function namesOf(given: unknown, name: string): Named {
  if (typeof given !== 'object' || given === null) throw wrongArgument(`an object with input_ids for ${name}`, given);
  return toCamelCase<Named>(given)!;
}

function rowsOf({ inputIds, inputs, attentionMask, tokenTypeIds }: Named, name: string) {
  const ids = inputIds ?? inputs;
  if (ids === undefined) throw unexpected('INVALID_ARG', `input_ids for ${name}`, 'none');
  return unpad({
    input_ids: ids as IntegerInput,
    attention_mask: attentionMask as IntegerInput | undefined,
    token_type_ids: tokenTypeIds as IntegerInput | undefined,
  });
}

async function generateIds(model: Model, given: unknown): Promise<Tensor<BigInt64Array>> {
  const { generationConfig, ...own } = namesOf(given, 'generate');
  const named = { ...toCamelCase<Named>((generationConfig ?? {}) as object), ...own };
  const { inputIds, inputs, attentionMask, tokenTypeIds, decoderInputIds, streamer: asked, ...rest } = named as Record<string, unknown>;
  for (const name of unread) delete rest[name];
  const { rows, width } = rowsOf({ inputIds, inputs, attentionMask, tokenTypeIds }, 'generate');
  const streamer = readStreamer(asked, rows.length);
  const begins = decoderInputIds === undefined || decoderInputIds === null ? undefined : beginnings(decoderInputIds, rows.length);
  const engine = streaming(nativeEngine(model), streamer);
  const settings = settingNames(rest);
  const lists = await generateAll(begins, rows, (input, begin) => {
    const options = begin === undefined ? settings : { ...settings, decoderInputIds: begin };
    return generateBy(engine, 'generate', model, input, options) as Promise<GeneratedText[][]>;
  });
  // A decoder alone goes on behind what it was given, padding included.
  const given2d = model.config.decoder === undefined ? toRows((inputIds ?? inputs) as IntegerInput, 'input_ids') : undefined;
  const written = lists.flatMap((texts, row) =>
    texts.map(({ promptIds, ids }) => [...(given2d?.[row]?.length === width ? given2d[row]! : promptIds), ...ids]),
  );
  const pad = padOf(model, rest['padTokenId']);
  const longest = Math.max(0, ...written.map(({ length }) => length));
  const data = new BigInt64Array(written.length * longest).fill(BigInt(pad));
  written.forEach((ids, row) => ids.forEach((id, i) => (data[row * longest + i] = BigInt(id))));
  return new Tensor(data, [written.length, longest]);
}

interface Row {
  readonly ids: Int32Array;
  readonly typeIds?: Int32Array;
}

/** Texts whose decoders begin alike are generated by one call. */
async function generateAll(
  begins: readonly Int32Array[] | undefined,
  rows: readonly Row[],
  run: (inputs: readonly Row[], begin: Int32Array | undefined) => Promise<GeneratedText[][]>,
): Promise<GeneratedText[][]> {
  const inputs = rows.map(({ ids, typeIds }) => ({ ids, ...(typeIds && { typeIds }) }));
  if (begins === undefined) return run(inputs, undefined);
  return (await Promise.all(inputs.map((input, row) => run([input], begins[row])))).flat();
}

function beginnings(given: unknown, texts: number): readonly Int32Array[] {
  const rows = toRows(given as IntegerInput, 'decoder_input_ids');
  if (rows.length === texts) return rows;
  if (rows.length === 1) return Array.from({ length: texts }, () => rows[0]!);
  throw unexpected('INVALID_ARG', `${texts} rows for decoder_input_ids, as input_ids,`, rows.length);
}

const id = integer(0, 2 ** 30);

function padOf({ generationConfig, config, tokenizer }: Model, given: unknown): number {
  const said = given ?? generationConfig?.['pad_token_id'] ?? config.raw['pad_token_id'];
  return said === undefined || said === null ? (tokenizer.padId ?? 0) : id(said, 'pad_token_id');
}

async function logitsOf(model: Model, given: unknown): Promise<WithCamelCase<{ readonly logits: Tensor<Float32Array> }>> {
  const { decoderInputIds, ...named } = namesOf(given, 'the call');
  const { rows, width } = rowsOf(named, 'the call');
  const vocab = requireWriter(model, 'the call').width;
  const isEncoderDecoder = model.config.decoder !== undefined;
  if (isEncoderDecoder && decoderInputIds === undefined) throw unexpected('INVALID_ARG', 'decoder_input_ids beside input_ids', 'none');
  const begins = isEncoderDecoder ? beginnings(decoderInputIds, rows.length) : undefined;
  const inputs = rows.map(({ ids, typeIds }) => ({ ids, ...(typeIds && { typeIds }) }));
  const results = await model.forward(inputs, begins === undefined ? {} : { decoderInputIds: begins });
  const tokens = begins?.[0]?.length ?? width;
  const logits = new Float32Array(rows.length * tokens * vocab);
  results.forEach((result, row) => logits.set(result.logits!.data, (row * tokens + (begins === undefined ? rows[row]!.begin : 0)) * vocab));
  return withCamelCase({ logits: new Tensor(logits, [rows.length, tokens, vocab]) });
}
