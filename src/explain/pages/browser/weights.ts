import type { AttentionBody } from '../data.js';
import { unpack } from './dom.js';

/** Weights of one row: of every token, or of the largest alone. */
export interface Row {
  readonly columns: readonly number[];
  readonly weights: readonly number[];
  /** What is not among them. */
  readonly rest: number;
}

/** The weights of a head. */
export interface Head {
  row(token: number): Row;
  /** Whether every weight is here. */
  readonly isWhole: boolean;
}

/** What a page has of attention, unpacked. */
export interface Weights {
  head(layer: number, head: number): Head;
  /** The mean of a layer's heads, where all are here. */
  mean?(layer: number): Head;
  /** [side, side] from 0 to 255: a head's picture. */
  picture(layer: number, head: number): { readonly side: number; readonly cells: Uint8Array };
  readonly rollout?: Head;
}

const kSide = 32;

/** Unpacks what the page has. */
export async function weightsOf(data: AttentionBody): Promise<Weights> {
  const count = data.tokens.length;
  const rollout = data.rollout === undefined ? {} : { rollout: wholeHead(await unpack(data.rollout), 0, count) };
  if (data.whole !== undefined) return { ...wholeWeights(await unpack(data.whole), data.heads.length, count), ...rollout };
  const pictures = await unpack(data.pictures!.data);
  const strongest = await unpack(data.strongest!.data);
  const kept = data.strongest!.count;
  const full = new Map<number, Head>();
  const numberOf = (layer: number, head: number): number => layer * data.heads.length + head;
  for (const each of data.full ?? []) full.set(numberOf(each.layer, each.head), wholeHead(await unpack(each.data), 0, count));
  const side = data.pictures!.side;
  return {
    head: (layer, head) => full.get(numberOf(layer, head)) ?? partHead(strongest, numberOf(layer, head) * count * kept * 3, count, kept),
    picture: (layer, head) => ({
      side,
      cells: pictures.subarray(numberOf(layer, head) * side * side, (numberOf(layer, head) + 1) * side * side),
    }),
    ...rollout,
  };
}

function wholeWeights(bytes: Uint8Array, heads: number, count: number): Required<Omit<Weights, 'rollout'>> {
  const bytesOfHead = count * count + 2 * count;
  const head = (layer: number, index: number): Head => wholeHead(bytes, (layer * heads + index) * bytesOfHead, count);
  return {
    head,
    mean: (layer) => ({
      isWhole: true,
      row: (token) => {
        const rows = Array.from({ length: heads }, (_, index) => head(layer, index).row(token).weights);
        return rowOf(Array.from({ length: count }, (_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / heads));
      },
    }),
    picture: (layer, index) => pictureOf(head(layer, index), count),
  };
}

function rowOf(weights: readonly number[]): Row {
  return { columns: weights.map((_, j) => j), weights, rest: 0 };
}

/** A head as `AttentionBody.whole` has it, from a byte on. */
export function wholeHead(bytes: Uint8Array, start: number, count: number): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  return {
    isWhole: true,
    row: (token) => {
      const largest = view.getUint16(count * count + 2 * token, true) / 65_535;
      return rowOf(Array.from({ length: count }, (_, j) => (view.getUint8(token * count + j) * largest) / 255));
    },
  };
}

function partHead(bytes: Uint8Array, start: number, count: number, kept: number): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  return {
    isWhole: false,
    row: (token) => {
      const own = Array.from({ length: kept }, (_, k) => token * kept + k);
      const weights = own.map((place) => view.getUint8(2 * count * kept + place) / 255);
      const rest = Math.max(0, 1 - weights.reduce((sum, weight) => sum + weight, 0));
      return { columns: own.map((place) => view.getUint16(2 * place, true)), weights, rest };
    },
  };
}

/** The largest weight of each cell, as its square root. */
function pictureOf(head: Head, count: number): { readonly side: number; readonly cells: Uint8Array } {
  const side = Math.min(kSide, count);
  const cells = new Uint8Array(side * side);
  for (let i = 0; i < count; i++) {
    const top = Math.floor((i * side) / count) * side;
    head.row(i).weights.forEach((weight, j) => {
      const cell = top + Math.floor((j * side) / count);
      cells[cell] = Math.max(cells[cell]!, Math.round(255 * Math.sqrt(Math.min(1, weight))));
    });
  }
  return { side, cells };
}
