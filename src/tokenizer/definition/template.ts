/** One part of a template: a special token, or the first (0) or second (1) text. */
export type TemplatePiece =
  | { readonly kind: 'special'; readonly id: number; readonly typeId: number }
  | { readonly kind: 'sequence'; readonly sequence: 0 | 1; readonly typeId: number };

/** How special tokens surround one text, or a pair. */
export interface Template {
  readonly single: readonly TemplatePiece[];
  readonly pair: readonly TemplatePiece[];
}

const special = (id: number, typeId: number): TemplatePiece => ({ kind: 'special', id, typeId });
const sequence = (which: 0 | 1, typeId: number): TemplatePiece => ({ kind: 'sequence', sequence: which, typeId });

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the second text and its [SEP] of type 1. */
export function bertTemplate(clsId: number, sepId: number): Template {
  return {
    single: [special(clsId, 0), sequence(0, 0), special(sepId, 0)],
    pair: [special(clsId, 0), sequence(0, 0), special(sepId, 0), sequence(1, 1), special(sepId, 1)],
  };
}

/** `<s> A </s>` and `<s> A </s></s> B </s>`, all of type 0 (RoBERTa, MPNet). */
export function robertaTemplate(clsId: number, sepId: number): Template {
  const first = [special(clsId, 0), sequence(0, 0), special(sepId, 0)];
  return { single: first, pair: [...first, special(sepId, 0), sequence(1, 0), special(sepId, 0)] };
}

/** No special tokens; the second text is of type 1. */
export const bareTemplate: Template = { single: [sequence(0, 0)], pair: [sequence(0, 0), sequence(1, 1)] };

/** A template whose types are all 0. */
export function withoutTypes({ single, pair }: Template): Template {
  const zero = (pieces: readonly TemplatePiece[]): readonly TemplatePiece[] => pieces.map((piece) => ({ ...piece, typeId: 0 }));
  return { single: zero(single), pair: zero(pair) };
}

/** The number of special tokens of a template. */
export function countSpecial(pieces: readonly TemplatePiece[]): number {
  let count = 0;
  for (const piece of pieces) if (piece.kind === 'special') count++;
  return count;
}

/** A template without its special tokens. */
export function withoutSpecial(pieces: readonly TemplatePiece[]): readonly TemplatePiece[] {
  return pieces.filter((piece) => piece.kind === 'sequence');
}
