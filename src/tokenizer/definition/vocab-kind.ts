import type { Template } from './template.js';

/** How the tokenizers of a family of models read a vocab.txt, which does not say so itself. */
export interface VocabKind {
  /** The values of `tokenizer_class` that mean it, without "Tokenizer" or "Fast" at the end. */
  readonly classes: readonly string[];
  /** The CLS token by which it is known where no class is named. */
  readonly clsToken: string;
  /** How special tokens surround a text, by the ids of CLS and SEP. */
  readonly template: (clsId: number, sepId: number) => Template;
  /** Whether the mask takes the white space before it. */
  readonly maskTakesSpace: boolean;
}
