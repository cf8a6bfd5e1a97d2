import type { Attention } from '../../attention/attention.js';
import type { Rollout } from '../../attention/rollout.js';
import type { AttentionBody } from '../data.js';
import { attentionKey } from './attention-file.js';
import { littleEndian, packBytes } from './pack.js';
import { quantizedHead } from './quantize.js';

/** Cells of a picture's side. */
const kSide = 32;
/** Weights of a row that are kept where a head is not. */
const kStrongest = 4;
/** Bytes of a head in a base64 letter, about: heads that could never fit are not compressed to find out. */
const kHopeless = 3;

/**
 * Attention as a page holds it: all heads in full where their base64 is within the budget; else pictures of all, the strongest of each row, the rollout, and
 * in full as many heads as fit, those first that look least at special tokens. 8 bits of a row's largest weight: errors below .002 of it. Without a budget no
 * weights.
 */
export function packAttention(given: Attention & { readonly rollout?: Rollout }, budget: number | undefined): AttentionBody {
  const { text, textPair, tokens, layers, heads, kind, weights, truncated, rollout } = given;
  const count = tokens.length;
  const square = count * count;
  const headAt = (layer: number, head: number): Float32Array => weights[layer]!.data.subarray(head * square, (head + 1) * square);
  const bare = {
    text,
    ...(textPair === undefined ? {} : { textPair }),
    tokens,
    layers,
    heads,
    ...(kind === 'norm' ? { weights: kind } : {}),
    truncated,
  };
  if (budget === undefined) return bare;
  const base = { ...bare, ...(rollout && { rollout: packBytes(quantizedHead(rollout.data, count)) }) };
  const places = layers.flatMap((_, layer) => heads.map((_, head) => ({ layer, head })));
  if (places.length * (square + 2 * count) <= kHopeless * budget) {
    const whole = packBytes(joined(places.map(({ layer, head }) => quantizedHead(headAt(layer, head), count))));
    if (whole.length <= budget) return { ...base, whole };
  }
  const pictures = packBytes(joined(places.map(({ layer, head }) => picture(headAt(layer, head), count))));
  const strongest = packBytes(joined(places.map(({ layer, head }) => strongestOf(headAt(layer, head), count))));
  let left = budget - pictures.length - strongest.length - (base.rollout?.length ?? 0);
  const own = Uint8Array.from(tokens, ({ special }) => (special ? 0 : 1));
  const order = places
    .map((place) => ({ ...place, share: ownShare(headAt(place.layer, place.head), own) }))
    .sort((a, b) => b.share - a.share);
  const full: { layer: number; head: number; data: string }[] = [];
  for (const { layer, head } of order) {
    const data = packBytes(quantizedHead(headAt(layer, head), count));
    left -= data.length;
    if (left < 0) break;
    full.push({ layer, head, data });
  }
  return {
    ...base,
    pictures: { side: kSide, data: pictures },
    strongest: { count: Math.min(kStrongest, count), data: strongest },
    full,
    key: attentionKey(given),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** [side, side] bytes: the largest weight of each cell, as its square root. */
function picture(data: Float32Array, count: number): Uint8Array {
  const cells = new Float32Array(kSide * kSide);
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * kSide) / count) * kSide;
    for (let j = 0; j < count; j++) {
      const cell = row + Math.floor((j * kSide) / count);
      const weight = data[i * count + j]!;
      if (weight > cells[cell]!) cells[cell] = weight;
    }
  }
  return Uint8Array.from(cells, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight))));
}

/** [tokens, strongest] columns of 16 bits, then as many weights as bytes. */
function strongestOf(data: Float32Array, count: number): Uint8Array {
  const kept = Math.min(kStrongest, count);
  const columns = new Uint16Array(count * kept);
  const weights = new Uint8Array(count * kept);
  for (let i = 0; i < count; i++) {
    const best: number[] = [];
    for (let j = 0; j < count; j++) {
      const weight = data[i * count + j]!;
      if (best.length === kept && weight <= data[i * count + best[kept - 1]!]!) continue;
      const place = best.findIndex((other) => weight > data[i * count + other]!);
      best.splice(place < 0 ? best.length : place, 0, j);
      if (best.length > kept) best.pop();
    }
    best.forEach((column, k) => {
      columns[i * kept + k] = column;
      weights[i * kept + k] = Math.round(255 * Math.min(1, data[i * count + column]!));
    });
  }
  return joined([littleEndian(columns), weights]);
}

/** The mean share of weights on tokens that are not special. */
function ownShare(data: Float32Array, own: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) if (own[i % own.length] === 1) sum += data[i]!;
  return sum;
}
