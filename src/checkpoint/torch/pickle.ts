import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';

/** What a pickle can be made of here. Nothing else exists, so nothing else can be called. */
export type PickleValue<T> = null | boolean | number | bigint | string | Global | Tuple<T> | List<T> | Dictionary<T> | Made<T>;

/** A name that the pickle asked for and the caller knows. */
export interface Global {
  readonly kind: 'global';
  /** `module.name`. */
  readonly name: string;
}

/** Values in a row that no longer change. */
export interface Tuple<T> {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue<T>[];
}

/** Values in a row. */
export interface List<T> {
  readonly kind: 'list';
  readonly items: PickleValue<T>[];
}

/** Keys and values in the order they were set; a key may stand there twice. */
export interface Dictionary<T> {
  readonly kind: 'dict';
  readonly keys: PickleValue<T>[];
  readonly values: PickleValue<T>[];
}

/** What the caller made of a call or of a persistent id. */
export interface Made<T> {
  readonly kind: 'made';
  readonly value: T;
}

/** What the names of a pickle stand for. */
export interface PickleNames<T> {
  /** Whether a name may be asked for. */
  knows(name: string): boolean;
  /** What a known name answers to these arguments. Errors: what it throws. */
  call(name: string, args: readonly PickleValue<T>[]): PickleValue<T>;
  /** What a persistent id stands for. Errors: what it throws. */
  persistent(id: PickleValue<T>): PickleValue<T>;
}

/** A pickle's value and the byte behind it; `undefined` where the bytes end before the pickle does. */
export type ReadPickle<T> = { readonly value: PickleValue<T>; readonly end: number } | undefined;

// 65,536 tensors take some 32 operations and 5 containers each. Without limits every byte of a hostile file would become an object.
const kMostOperations = 1 << 22;
const kMostContainers = 1 << 20;
const kLatestProtocol = 5;

/**
 * Reads one pickle as data. Of the machine that Python runs it knows the operations that torch.save writes, and the names that `names` knows: a pickle
 * that asks for any other is refused where it asks, before anything was made of it. Lengths are checked against `bytes` before they are used.
 *
 * Errors: UNSAFE_FORMAT (another operation or name, which is named), WEIGHTS (a damaged pickle, or one larger than a model needs), those of `names`.
 */
export function readPickle<T>(bytes: Buffer, begin: number, names: PickleNames<T>): ReadPickle<T> {
  try {
    return new Machine(bytes, begin, names).run();
  } catch (error) {
    if (error === kEnd) return undefined;
    throw error;
  }
}

/** Thrown where the bytes end. */
const kEnd = new Error('the bytes end');
const kUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is said of an operation that is not known, where it has a name worth knowing. */
const kRefused: ReadonlyMap<number, string> = new Map([
  [0x50, 'PERSID'],
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x81, 'NEWOBJ'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x92, 'NEWOBJ_EX'],
]);

class Machine<T> {
  readonly #bytes: Buffer;
  readonly #names: PickleNames<T>;
  readonly #memo = new Map<number, PickleValue<T>>();
  readonly #stack: PickleValue<T>[] = [];
  /** Heights of the stack that the pickle marked. */
  readonly #marks: number[] = [];
  #at: number;
  #containers = 0;

  constructor(bytes: Buffer, begin: number, names: PickleNames<T>) {
    this.#bytes = bytes;
    this.#at = begin;
    this.#names = names;
  }

  run(): ReadPickle<T> {
    for (let operations = 0; operations < kMostOperations; operations++) {
      if (this.#step(this.#number(1))) return { value: this.#pop(), end: this.#at };
    }
    throw damaged(`at most ${kMostOperations} operations in a pickle`, 'more');
  }

  /** Carries out one operation; true for the last. Letters are the pickle's own names of the operations. */
  #step(operation: number): boolean {
    const scalar = this.#scalar(operation);
    if (scalar !== undefined) {
      this.#stack.push(scalar);
      return false;
    }
    switch (operation) {
      case 0x80: // PROTO
        this.#protocol(this.#number(1));
        break;
      case 0x95: // FRAME: what it says of lengths is not needed
        this.#take(8);
        break;
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        break;
      case 0x71: // BINPUT
        this.#memo.set(this.#number(1), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#number(4), this.#top());
        break;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case 0x68: // BINGET
        this.#stack.push(this.#remembered(this.#number(1)));
        break;
      case 0x6a: // LONG_BINGET
        this.#stack.push(this.#remembered(this.#number(4)));
        break;
      case 0x63: // GLOBAL
        this.#global(this.#line(), this.#line());
        break;
      case 0x93: // STACK_GLOBAL
        this.#stackGlobal();
        break;
      case 0x52: // REDUCE
        this.#reduce();
        break;
      case 0x51: // BINPERSID
        this.#stack.push(this.#names.persistent(this.#pop()));
        break;
      case 0x62: // BUILD
        this.#build();
        break;
      case 0x2e: // STOP
        if (this.#stack.length !== 1 || this.#marks.length > 0) throw damaged('one value at the end of a pickle', this.#stack.length);
        return true;
      default:
        this.#fill(operation);
    }
    return false;
  }

  /** The value of an operation that makes one out of its own bytes. */
  #scalar(operation: number): PickleValue<T> | undefined {
    switch (operation) {
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4a: // BININT
        return this.#number(4) | 0;
      case 0x4b: // BININT1
        return this.#number(1);
      case 0x4d: // BININT2
        return this.#number(2);
      case 0x8a: // LONG1
        return integer(this.#take(this.#number(1)));
      case 0x47: // BINFLOAT
        return this.#take(8).readDoubleBE();
      case 0x58: // BINUNICODE
        return this.#text(this.#number(4));
      case 0x8c: // SHORT_BINUNICODE
        return this.#text(this.#number(1));
      case 0x7d: // EMPTY_DICT
        return this.#container({ kind: 'dict', keys: [], values: [] });
      case 0x5d: // EMPTY_LIST
        return this.#container({ kind: 'list', items: [] });
      case 0x29: // EMPTY_TUPLE
        return this.#container({ kind: 'tuple', items: [] });
      default:
        return undefined;
    }
  }

  /** Operations that gather values of the stack. */
  #fill(operation: number): void {
    switch (operation) {
      case 0x74: // TUPLE
        this.#tuple(this.#toMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#tuple(this.#popSeveral(operation - 0x84));
        break;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        break;
      case 0x65: // APPENDS
        this.#append(this.#toMark());
        break;
      case 0x73: // SETITEM
        this.#set(this.#popSeveral(2));
        break;
      case 0x75: // SETITEMS
        this.#set(this.#toMark());
        break;
      default:
        throw refused(`the operation ${kRefused.get(operation) ?? `0x${operation.toString(16).padStart(2, '0')}`} at byte ${this.#at - 1}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw kEnd;
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** An unsigned little-endian integer of at most four bytes. */
  #number(length: 1 | 2 | 4): number {
    return this.#take(length).readUIntLE(0, length);
  }

  #text(length: number): string {
    const bytes = this.#take(length);
    try {
      return kUtf8.decode(bytes);
    } catch (error) {
      throw unexpected('WEIGHTS', 'UTF-8 for every string of a pickle', `other bytes before byte ${this.#at}`, { cause: error });
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw kEnd;
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  #protocol(version: number): void {
    if (version > kLatestProtocol) throw damaged(`a pickle of protocol ${kLatestProtocol} or older`, version);
  }

  #container<C extends PickleValue<T>>(value: C): C {
    if (++this.#containers > kMostContainers) throw damaged(`at most ${kMostContainers} lists in a pickle`, 'more');
    return value;
  }

  #tuple(items: readonly PickleValue<T>[]): void {
    this.#stack.push(this.#container({ kind: 'tuple', items }));
  }

  #pop(): PickleValue<T> {
    return this.#popSeveral(1)[0]!;
  }

  /** What lies under the last mark belongs to whoever set it. */
  #popSeveral(count: number): PickleValue<T>[] {
    const height = this.#stack.length - count;
    if (height < (this.#marks.at(-1) ?? 0)) throw damaged(`${count} values on the stack of a pickle`, 'fewer');
    return this.#stack.splice(height);
  }

  #toMark(): PickleValue<T>[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw damaged('a mark on the stack of a pickle', 'none');
    return this.#stack.splice(mark);
  }

  #top(): PickleValue<T> {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw damaged('a value on the stack of a pickle', 'none');
    return this.#stack.at(-1)!;
  }

  #remembered(index: number): PickleValue<T> {
    const value = this.#memo.get(index);
    if (value === undefined) throw damaged(`a value that was put at ${index} of a pickle's memo`, 'none');
    return value;
  }

  #global(module: string, name: string): void {
    const whole = `${module}.${name}`;
    if (!this.#names.knows(whole)) throw refused(`the name ${quote(whole)}`);
    this.#stack.push(this.#container({ kind: 'global', name: whole }));
  }

  #stackGlobal(): void {
    const [module, name] = this.#popSeveral(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw damaged('two strings for a name of a pickle', 'other values');
    this.#global(module, name);
  }

  #reduce(): void {
    const [callee, args] = this.#popSeveral(2);
    if (!isKind(callee, 'global')) throw refused('a call of what is no name');
    if (!isKind(args, 'tuple')) throw damaged('a tuple of arguments in a pickle', 'another value');
    this.#stack.push(this.#container(this.#names.call(callee.name, args.items)));
  }

  /** A state dictionary has attributes, such as `_metadata`: they are dropped. Nothing else may be given any. */
  #build(): void {
    this.#pop();
    if (!isKind(this.#top(), 'dict')) throw refused('attributes (BUILD) for what is no dictionary');
  }

  #append(items: readonly PickleValue<T>[]): void {
    const list = this.#top();
    if (!isKind(list, 'list')) throw refused('items for what is no list');
    for (const item of items) list.items.push(item);
  }

  #set(items: readonly PickleValue<T>[]): void {
    const dictionary = this.#top();
    if (!isKind(dictionary, 'dict')) throw refused('keys for what is no dictionary');
    if (items.length % 2 !== 0) throw damaged('a value for every key of a pickle', 'a key without one');
    for (let i = 0; i < items.length; i += 2) {
      dictionary.keys.push(items[i]!);
      dictionary.values.push(items[i + 1]!);
    }
  }
}

/** Whether a value is of this kind. */
export function isKind<T, K extends 'global' | 'tuple' | 'list' | 'dict' | 'made'>(
  value: PickleValue<T> | undefined,
  kind: K,
): value is Extract<PickleValue<T>, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

/** Signed, little-endian, of any length; a number where it is exact. */
function integer(bytes: Buffer): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  value = BigInt.asIntN(8 * bytes.length, value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Errors: UNSAFE_FORMAT, always. */
function refused(what: string): Error {
  return unexpected('UNSAFE_FORMAT', 'tensors and nothing else in a file of torch.save', `${what}, which could run code in Python`);
}

function damaged(expected: string, got: string | number): Error {
  return unexpected('WEIGHTS', expected, got);
}
