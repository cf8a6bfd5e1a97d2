import type { JsonFields } from '../checkpoint/json-fields.js';
import type { ConfigFields } from './config-fields.js';
import type { DropoutReader } from './dropout.js';
import type { EncoderConfig } from './encoder-config.js';
import type { DecoderBuilder } from './encoder-decoder/decoder.js';
import type { EncoderOutputs } from './encoder.js';
import type { HeadBuilders, Heads } from './heads.js';
import type { VocabKind } from '../tokenizer/index.js';
import type { WeightReader } from './weight-reader.js';

/** A family of encoders: all that config reading, program building, transformers' class names and messages have to know of it. */
export interface Family {
  /** As people write it: `BERT`. */
  readonly title: string;
  /** How the names of its classes begin in transformers: `Bert` of `BertForMaskedLM`. */
  readonly className: string;
  /** What else its models are called: `model_type`, and how the names of classes begin. */
  readonly otherNames?: readonly { readonly modelType: string; readonly className: string }[];
  /** Of a family whose models call themselves another's: the `model_type`, and what tells them apart. */
  readonly within?: { readonly modelType: string; readonly tells: (fields: JsonFields) => boolean };
  /** How its config.json is read. */
  readonly fields: ConfigFields;
  /** Of a family whose models are an encoder and a decoder in one config.json: how the decoder's part is read. */
  readonly decoderFields?: ConfigFields;
  /** Its classes, where they are not named as most encoders' are: `BertModel`, `BertForMaskedLM`. */
  readonly classes?: readonly string[];
  /** How its tokenizers read a vocab.txt; absent where they have none, or are those of another family. */
  readonly vocab?: VocabKind;
  /** Whether transformers.js has a tokenizer's class of its name. */
  readonly namesTokenizer: boolean;
  /** What the names of its encoder's tensors may begin with, that of transformers' classes first. */
  readonly prefixes: readonly [string, ...string[]];
  /** The word embeddings' matrix, by the name without a prefix. Default: `embeddings.word_embeddings.weight`. */
  readonly wordTable?: string;
  /** Further names of tensors of which a file may hold one under another. */
  readonly aliases?: (config: EncoderConfig) => ReadonlyMap<string, string>;
  /** Refuses what fields of its own say that is contradictory or not computed here. Errors: CONFIG, CONFIG_UNSUPPORTED. */
  readonly check?: (config: EncoderConfig) => void;
  /** Appends the encoder to a program. */
  readonly encoder: (read: WeightReader) => EncoderOutputs;
  /** Appends a decoder; absent where models of the family never are one. */
  readonly asDecoder?: DecoderBuilder;
  readonly heads: HeadBuilders;
  /** Tensors that never learn: tables that published code computes, buffers. */
  readonly fixed?: RegExp;
  /** Where and how much it drops while it learns. */
  readonly dropout: DropoutReader;
  /** The heads that read the pooler's output. */
  readonly pooled: readonly (keyof Heads)[];
  /** The decoder's matrix that is tied to the word embeddings. */
  readonly decoder: string;
  /** The layers that learn with LoRA where nobody says which: peft's, or query and value. */
  readonly loraTargets: readonly string[];
  /** The heads that transformers pretrains it with. */
  readonly pretraining: readonly (keyof Heads)[];
}
