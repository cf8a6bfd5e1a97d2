import type { ConfigFields } from './config-fields.js';
import type { DropoutReader } from './dropout.js';
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
  /** How its config.json is read. */
  readonly fields: ConfigFields;
  /** How its tokenizers read a vocab.txt. */
  readonly vocab: VocabKind;
  /** What the names of its tensors may begin with. */
  readonly prefix: string;
  /** Appends the encoder to a program. */
  readonly encoder: (read: WeightReader) => EncoderOutputs;
  readonly heads: HeadBuilders;
  /** Where and how much it drops while it learns. */
  readonly dropout: DropoutReader;
  /** The heads that read the pooler's output. */
  readonly pooled: readonly (keyof Heads)[];
  /** The decoder's matrix that is tied to the word embeddings. */
  readonly decoder: string;
  /** The heads that transformers pretrains it with. */
  readonly pretraining: readonly (keyof Heads)[];
}
