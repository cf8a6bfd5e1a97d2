import { chinese, lowercase, marks, nonspacingMarks, removed, whitespace } from '../unicode/characters.js';
import type { NormalizerOptions } from './options.js';
import { type Budget, type CharacterStream, MapStream, SourceStream } from './character-stream.js';
import type { Charsmap } from './precompiled/charsmap.js';
import { nmt } from './nmt.js';
import { precompiled } from './precompiled/replacements.js';
import { Prepend } from './prepend.js';
import { type FormName, normalForm } from './normal-form.js';
import { type ReplacePattern, replaceStream } from './replace.js';
import { SentencePieceNormalizer, type SentencePieceRules } from './precompiled/sentencepiece.js';
import { Strip } from './strip.js';

/** A normalizer as tokenizer.json names it. */
export type NormalizerStep =
  | ({ readonly type: 'BertNormalizer' } & Omit<NormalizerOptions, 'dropsAllMarks'>)
  | { readonly type: FormName | 'Lowercase' | 'StripAccents' | 'Nmt' }
  | { readonly type: 'Precompiled'; readonly charsmap: Charsmap }
  | { readonly type: 'Strip'; readonly left: boolean; readonly right: boolean }
  | { readonly type: 'Replace'; readonly pattern: ReplacePattern; readonly content: readonly number[] }
  | { readonly type: 'Prepend'; readonly content: readonly number[] }
  /** Of a SentencePiece model's own file. */
  | ({ readonly type: 'SentencePiece' } & SentencePieceRules);

/** Normalizers in their order over one source: text is allowed to the source, and what becomes of it is read from the stream. */
export class NormalizerChain {
  readonly budget: Budget = { left: 0 };
  readonly source = new SourceStream(this.budget);
  readonly stream: CharacterStream;

  constructor(steps: readonly NormalizerStep[]) {
    this.stream = steps.reduce<CharacterStream>((stream, step) => this.#streamOf(step, stream), this.source);
  }

  #streamOf(step: NormalizerStep, upstream: CharacterStream): CharacterStream {
    switch (step.type) {
      case 'BertNormalizer':
        return this.#bert(step, upstream);
      case 'Lowercase':
        return new MapStream(upstream, lower);
      case 'StripAccents':
        return new MapStream(upstream, (codePoint) => (marks.has(codePoint) ? undefined : codePoint));
      case 'Nmt':
        return new MapStream(upstream, nmt);
      case 'Precompiled':
        return precompiled(upstream, step.charsmap);
      case 'Strip':
        return new Strip(upstream, step.left, step.right, this.budget);
      case 'Replace':
        return replaceStream(upstream, step.pattern, step.content);
      case 'Prepend':
        return new Prepend(upstream, step.content);
      case 'SentencePiece':
        return new SentencePieceNormalizer(upstream, step, this.budget);
      default:
        return normalForm(step.type, upstream, this.budget);
    }
  }

  #bert({ cleanText, handleChineseChars, stripAccents, lowercase: lowers }: NormalizerOptions, upstream: CharacterStream): CharacterStream {
    let stream = upstream;
    if (cleanText) stream = new MapStream(stream, clean);
    if (handleChineseChars) stream = new MapStream(stream, setApart);
    if (stripAccents) {
      stream = normalForm('NFD', stream, this.budget);
      stream = new MapStream(stream, (codePoint) => (nonspacingMarks.has(codePoint) ? undefined : codePoint));
    }
    return lowers ? new MapStream(stream, lower) : stream;
  }
}

/** The normalized form of a short string, such as an added token. */
export function normalizeString(text: string, steps: readonly NormalizerStep[]): string {
  const { budget, source, stream } = new NormalizerChain(steps);
  budget.left = Infinity;
  source.allow({ text, startOf: (index) => index }, text.length, true);
  let normalized = '';
  for (let codePoint; (codePoint = stream.next()) >= 0;) normalized += String.fromCodePoint(codePoint);
  return normalized;
}

/** The steps as one that works on single characters, but for the order of marks; undefined if they are not such. */
export function fuseSteps(steps: readonly NormalizerStep[]): NormalizerOptions | undefined {
  const none: NormalizerOptions = { cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false };
  const [first] = steps;
  if (first === undefined) return none;
  if (first.type === 'BertNormalizer') return steps.length === 1 ? first : undefined;
  // Lowercase and decomposition of single characters commute.
  const others = steps.filter(({ type }) => type !== 'Lowercase').map(({ type }) => type);
  const isLower = others.length < steps.length;
  if (others.length === 0) return { ...none, lowercase: true };
  return others.join() === 'NFD,StripAccents' ? { ...none, stripAccents: true, dropsAllMarks: true, lowercase: isLower } : undefined;
}

function lower(codePoint: number): number | readonly number[] {
  if (codePoint < 0x80) return codePoint >= 0x41 && codePoint <= 0x5a ? codePoint + 0x20 : codePoint;
  return lowercase.get(codePoint) ?? codePoint;
}

function clean(codePoint: number): number | undefined {
  if (codePoint > 0x20 && codePoint < 0x7f) return codePoint;
  if (removed.has(codePoint)) return undefined;
  return whitespace.has(codePoint) ? 0x20 : codePoint;
}

function setApart(codePoint: number): number | readonly number[] {
  return codePoint >= 0x3400 && chinese.has(codePoint) ? [0x20, codePoint, 0x20] : codePoint;
}
