import { littleEndian } from './pack.js';

/** [tokens, tokens] bytes, then the rows' largest in 16 bits. */
export function quantizedHead(data: ArrayLike<number>, count: number): Uint8Array {
  const bytes = new Uint8Array(count * count + 2 * count);
  const largest = new Uint16Array(count);
  for (let row = 0; row < count; row++) {
    let most = 0;
    for (let j = 0; j < count; j++) most = Math.max(most, data[row * count + j]!);
    largest[row] = Math.round(Math.min(1, most) * 65_535);
    const scale = most === 0 ? 0 : 255 / most;
    for (let j = 0; j < count; j++) bytes[row * count + j] = Math.round(data[row * count + j]! * scale);
  }
  bytes.set(littleEndian(largest), count * count);
  return bytes;
}
