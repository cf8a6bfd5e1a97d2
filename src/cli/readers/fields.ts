import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import type { Item } from './item.js';

/** Which fields of a record are read, as typed; undefined to find them. */
export interface FieldNames {
  readonly text?: string | undefined;
  readonly pair?: string | undefined;
  /** Whether the command wants a second text. */
  readonly wantsPair?: boolean | undefined;
}

/** Names that data sets give to the text, and to the second one, the likeliest first. */
const kTextNames = ['text', 'sentence', 'content', 'document', 'passage', 'body', 'query', 'question', 'premise', 'sentence1', 'text1'];
const kPairNames = ['text_pair', 'textPair', 'pair', 'sentence2', 'text2', 'hypothesis', 'answer', 'context'];

/** Takes texts out of records, by names that are given or found in the first record; found ones are told once to `tell`. */
export class FieldReader {
  readonly #names: FieldNames;
  readonly #tell: (message: string) => void;
  #text: string | undefined;
  #pair: string | undefined;

  constructor(names: FieldNames, tell: (message: string) => void) {
    this.#names = names;
    this.#tell = tell;
  }

  /** Errors: USAGE when the record has no such field, or what is in it is no text; `place` says where. */
  read(record: Readonly<Record<string, unknown>>, place: string): Item {
    this.#text ??= this.#names.text ?? this.#find(record, kTextNames, '--field', place);
    const text = textIn(record, this.#text, '--field', place);
    const taken = [this.#text];
    let pair: { readonly pair?: string } = {};
    if (this.#names.wantsPair === true || this.#names.pair !== undefined) {
      this.#pair ??= this.#names.pair ?? this.#find(record, kPairNames, '--pair-field', place, this.#text);
      pair = { pair: textIn(record, this.#pair, '--pair-field', place) };
      taken.push(this.#pair);
    }
    const rest = Object.entries(record).filter(([name]) => !taken.includes(name));
    return { text, ...pair, ...(rest.length > 0 ? { fields: Object.fromEntries(rest) } : {}), place };
  }

  /** A known name, else the only field that holds text. */
  #find(record: Readonly<Record<string, unknown>>, known: readonly string[], flag: string, place: string, except?: string): string {
    const names = Object.keys(record).filter((name) => typeof record[name] === 'string' && name !== except);
    const found = known.find((name) => names.includes(name)) ?? (names.length === 1 ? names[0] : undefined);
    if (found === undefined) {
      const has = names.length === 0 ? 'none with text' : names.join(', ');
      throw new BerthaError('USAGE', `Expected ${flag}, the field that holds the text in ${place}, whose fields are: ${has}.`);
    }
    this.#tell(`reading the field ${JSON.stringify(found)} (${flag} chooses another)`);
    return found;
  }
}

function textIn(record: Readonly<Record<string, unknown>>, name: string, flag: string, place: string): string {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  if (typeof value === 'string') return value;
  if (value === undefined) {
    const names = Object.keys(record).join(', ') || 'none';
    throw new BerthaError(
      'USAGE',
      `Expected the field ${JSON.stringify(name)} in ${place} (${flag} chooses another) but its fields are: ${names}.`,
    );
  }
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  throw unexpected('USAGE', `text in the field ${JSON.stringify(name)} of ${place}`, got);
}
