// Decoders, with or without an encoder, whose weights are random numbers in a file, and what they compute, in float64.
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramBuilder, type LinearWeights, type NormWeights, type Program, type Value } from '../../src/models/program/program.js';
import { Session, type SessionOptions } from '../../src/runtime/session.js';
import { Random } from './random.js';
import { activations } from './reference.js';
import { tensorOf } from './small-program.js';

/** Sizes; without layers of an encoder it is a causal decoder alone. */
export interface DecoderSizes {
  readonly vocabSize: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly maxSeqLen?: number;
  readonly seed?: number;
  /** Numbers spread evenly, which are drawn sooner than normal ones. */
  readonly isLarge?: boolean;
}

type Rows = readonly Float64Array[];

/** What one text gives: rows of the encoder's output, of logits, probabilities [heads][query][key] of each layer of the decoder. */
export interface DecoderReference {
  readonly encoded: Rows;
  readonly logits: Rows;
  readonly self: readonly number[][][][];
  readonly cross: readonly number[][][][];
}

/** A post-norm decoder as Marian's: words times √width and sines, silu, a tied matrix of logits with a bias of its own. */
export class SmallDecoder {
  readonly program: Program;
  readonly logits: Value;
  readonly encoded: Value | undefined;
  readonly self: Value[] = [];
  readonly cross: Value[] = [];
  readonly sizes: DecoderSizes;
  /** Row-major, by name. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  readonly #numbers = new Map<string, Float32Array>();
  #moved: ReadonlyMap<string, Float64Array> = new Map();
  readonly #random: Random;
  readonly #b: ProgramBuilder;

  constructor(sizes: DecoderSizes) {
    this.sizes = sizes;
    this.numbers = this.#numbers;
    const { vocabSize, width, encoderLayers, decoderLayers, maxSeqLen = 64, seed = 1 } = sizes;
    this.#random = new Random(seed);
    const target = { vocabSize, maxSeqLen };
    const b = (this.#b = new ProgramBuilder({ vocabSize, typeVocabSize: 0, maxSeqLen, ...(encoderLayers > 0 && { target }) }));
    const words = this.#tensor('words', [vocabSize, width], 0.3);
    const embed = (rows: 'tokens' | 'target') =>
      b.embed({ word: b.table(words), scale: Math.fround(Math.sqrt(width)), sinusoidal: true, rows });
    if (encoderLayers > 0) this.encoded = this.#encoder(embed('tokens'));
    let x = embed(encoderLayers > 0 ? 'target' : 'tokens');
    for (let layer = 0; layer < decoderLayers; layer++) x = this.#decoderLayer(x, `decoder.${layer}`);
    this.logits = b.linear(x, { weight: b.matrix(words), bias: b.vector(this.#tensor('logits.bias', [vocabSize], 0.2)) });
    this.program = b.build();
  }

  /** A session of the model; its weights lie in a file that is gone by then. */
  async load(options: SessionOptions = {}): Promise<Session> {
    const folder = mkdtempSync(join(tmpdir(), 'bertha-decoder-'));
    try {
      const file = join(folder, 'weights');
      const offsets = new Map<string, number>();
      let end = 0;
      for (const [name, numbers] of this.#numbers) {
        offsets.set(name, end);
        end += numbers.byteLength;
      }
      for (const numbers of this.#numbers.values()) appendFileSync(file, new Uint8Array(numbers.buffer));
      const fd = openSync(file, 'r');
      try {
        const weights = this.program.weights.map(({ name, kind, rows, cols }) => {
          const part = { fd, offset: offsets.get(name)!, dtype: 'F32', rowBegin: 0, rows: kind === 'vector' ? cols : rows, name } as const;
          return { name, kind, rows, cols, parts: [part] };
        });
        return await Session.load({ ...this.program, weights }, options);
      } finally {
        closeSync(fd);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The whole model on one text, in float64, with other numbers for the tensors of `moved`; without an encoder `source` is not read. */
  reference(source: ArrayLike<number>, target: ArrayLike<number>, moved: ReadonlyMap<string, Float64Array> = new Map()): DecoderReference {
    this.#moved = moved;
    let encoded: Rows = [];
    if (this.sizes.encoderLayers > 0) {
      encoded = this.#embedded(source);
      for (let layer = 0; layer < this.sizes.encoderLayers; layer++) {
        const name = `encoder.${layer}`;
        encoded = this.#attended(`${name}.self`, encoded, encoded, false).rows;
        encoded = this.#ffn(name, encoded);
      }
    }
    const self: number[][][][] = [];
    const cross: number[][][][] = [];
    let x = this.#embedded(target);
    for (let layer = 0; layer < this.sizes.decoderLayers; layer++) {
      const name = `decoder.${layer}`;
      const own = this.#attended(`${name}.self`, x, x, true);
      x = own.rows;
      self.push(own.scores);
      if (encoded.length > 0) {
        const other = this.#attended(`${name}.cross`, x, encoded, false);
        x = other.rows;
        cross.push(other.scores);
      }
      x = this.#ffn(name, x);
    }
    const bias = this.#of('logits.bias');
    const logits = x.map((row) => this.#product(row, this.#of('words')).map((sum, i) => sum + bias[i]!));
    return { encoded, logits, self, cross };
  }

  #of(name: string): Float32Array | Float64Array {
    return this.#moved.get(name) ?? this.#numbers.get(name)!;
  }

  #tensor(name: string, shape: readonly number[], deviation: number, mean = 0) {
    const count = shape.reduce((product, size) => product * size, 1);
    const even = () => Float32Array.from({ length: count }, () => mean + deviation * Math.sqrt(12) * (this.#random.next() - 0.5));
    this.#numbers.set(name, this.sizes.isLarge === true ? even() : this.#random.floats(count, deviation, mean));
    return tensorOf(name, ...shape);
  }

  #linear(name: string, rows: number, columns: number): LinearWeights {
    const weight = this.#b.matrix(this.#tensor(`${name}.weight`, [rows, columns], 1 / Math.sqrt(columns)));
    return { weight, bias: this.#b.vector(this.#tensor(`${name}.bias`, [rows], 0.1)) };
  }

  #norm(name: string, x: Value): Value {
    const weights: NormWeights = {
      weight: this.#b.vector(this.#tensor(`${name}.weight`, [x.width], 0.1, 1)),
      bias: this.#b.vector(this.#tensor(`${name}.bias`, [x.width], 0.1)),
    };
    return this.#b.layerNorm(x, weights, 1e-5);
  }

  #encoder(embedded: Value): Value {
    let x = embedded;
    for (let layer = 0; layer < this.sizes.encoderLayers; layer++) {
      x = this.#attention(`encoder.${layer}.self`, x, x, false).value;
      x = this.#ffnOps(`encoder.${layer}`, x);
    }
    return x;
  }

  #decoderLayer(x: Value, name: string): Value {
    const self = this.#attention(`${name}.self`, x, x, true);
    this.self.push(self.scores);
    if (this.encoded === undefined) return this.#ffnOps(name, self.value);
    const cross = this.#attention(`${name}.cross`, self.value, this.encoded, false);
    this.cross.push(cross.scores);
    return this.#ffnOps(name, cross.value);
  }

  #attention(name: string, x: Value, keys: Value, causal: boolean): { value: Value; scores: Value } {
    const { width, heads } = this.sizes;
    const part = (which: string, of: Value) => this.#b.linear(of, this.#linear(`${name}.${which}`, width, width));
    const qkv = { query: part('query', x), key: part('key', keys), value: part('value', keys) };
    const { context, scores } = this.#b.attention(qkv, { numHeads: heads, ...(causal && { causal }) });
    const out = this.#b.linear(context, this.#linear(`${name}.out`, width, width), { residual: x });
    return { value: this.#norm(`${name}.norm`, out), scores };
  }

  #ffnOps(name: string, x: Value): Value {
    const { width, inner } = this.sizes;
    const hidden = this.#b.linear(x, this.#linear(`${name}.fc1`, inner, width), { activation: 'silu' });
    return this.#norm(`${name}.norm`, this.#b.linear(hidden, this.#linear(`${name}.fc2`, width, inner), { residual: x }));
  }

  #embedded(ids: ArrayLike<number>): Rows {
    const { width } = this.sizes;
    const scale = Math.fround(Math.sqrt(width));
    const sines = Math.ceil(width / 2);
    return Array.from(ids, (id, position) =>
      Float64Array.from({ length: width }, (_, i) => {
        const angle = position / 10000 ** ((2 * (i < sines ? i : i - sines)) / width);
        return scale * this.#of('words')[id * width + i]! + Math.fround(i < sines ? Math.sin(angle) : Math.cos(angle));
      }),
    );
  }

  /** x [columns] times a matrix's rows. */
  #product(x: Float64Array, matrix: ArrayLike<number>): Float64Array {
    return Float64Array.from({ length: matrix.length / x.length }, (_, row) => {
      const begin = row * x.length;
      return x.reduce((sum, number, i) => sum + number * matrix[begin + i]!, 0);
    });
  }

  #linearOf(name: string, rows: Rows): Rows {
    const bias = this.#of(`${name}.bias`);
    return rows.map((row) => this.#product(row, this.#of(`${name}.weight`)).map((sum, i) => sum + bias[i]!));
  }

  #normOf(name: string, rows: Rows): Rows {
    const [weight, bias] = [this.#of(`${name}.weight`), this.#of(`${name}.bias`)];
    return rows.map((row) => {
      const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
      return row.map((x, i) => ((x - mean) / Math.sqrt(variance + Math.fround(1e-5))) * weight[i]! + bias[i]!);
    });
  }

  #ffn(name: string, x: Rows): Rows {
    const hidden = this.#linearOf(`${name}.fc1`, x).map((row) => row.map(activations.silu));
    return this.#normOf(`${name}.norm`, added(this.#linearOf(`${name}.fc2`, hidden), x));
  }

  #attended(name: string, x: Rows, keys: Rows, causal: boolean): { rows: Rows; scores: number[][][] } {
    const { width, heads } = this.sizes;
    const dim = width / heads;
    const [query, key, value] = [
      this.#linearOf(`${name}.query`, x),
      this.#linearOf(`${name}.key`, keys),
      this.#linearOf(`${name}.value`, keys),
    ];
    const context = x.map(() => new Float64Array(width));
    const scores = Array.from({ length: heads }, (_, head) =>
      query.map((row, i) => {
        const columns = Array.from({ length: dim }, (__, c) => head * dim + c);
        const logits = key.map((k, j) =>
          causal && j > i ? -Infinity : columns.reduce((sum, c) => sum + row[c]! * k[c]!, 0) / Math.sqrt(dim),
        );
        const peak = Math.max(...logits);
        const powers = logits.map((logit) => Math.exp(logit - peak));
        const total = powers.reduce((sum, power) => sum + power, 0);
        const probabilities = powers.map((power) => power / total);
        for (const c of columns) context[i]![c] = probabilities.reduce((sum, p, j) => sum + p * value[j]![c]!, 0);
        return probabilities;
      }),
    );
    return { rows: this.#normOf(`${name}.norm`, added(this.#linearOf(`${name}.out`, context), x)), scores };
  }
}

function added(a: Rows, b: Rows): Rows {
  return a.map((row, i) => row.map((x, j) => x + b[i]![j]!));
}

/** Lists of ids end to end, and where each begins. */
export function packedIds(lists: readonly ArrayLike<number>[]): { ids: Int32Array; offsets: Int32Array } {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => (offsets[i + 1] = offsets[i]! + list.length));
  return { ids: Int32Array.from(lists.flatMap((list) => Array.from(list))), offsets };
}
