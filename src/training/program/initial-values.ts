import type { ModelConfig } from '../../architectures/config.js';
import { isNorm } from './decay.js';
import { philox, seedWords } from './philox.js';

/**
 * `length` numbers of N(0, deviation): a function of the seed and the tensor's name alone, so that a head begins with the same numbers
 * whatever else is in the model. Box-Muller over Philox.
 */
export function normalValues(seed: number, name: string, length: number, deviation: number): Float32Array {
  const values = new Float32Array(length);
  const key = seedWords(seed);
  const [first, second] = hashName(name);
  for (let begin = 0; begin < length; begin += 4) {
    const words = philox([begin / 4, 0, first, second], key);
    for (let pair = 0; pair < 4; pair += 2) {
      // In (0, 1]: the logarithm of it is finite.
      const radius = deviation * Math.sqrt(-2 * Math.log((words[pair]! + 1) / 2 ** 32));
      const angle = 2 * Math.PI * (words[pair + 1]! / 2 ** 32);
      if (begin + pair < length) values[begin + pair] = radius * Math.cos(angle);
      if (begin + pair + 1 < length) values[begin + pair + 1] = radius * Math.sin(angle);
    }
  }
  return values;
}

/** Two 32-bit FNV-1a hashes of the name's UTF-8, the second over the bytes from the end. */
function hashName(name: string): [number, number] {
  const bytes = new TextEncoder().encode(name);
  const hash = (list: Uint8Array): number => list.reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  return [hash(bytes), hash(bytes.slice().reverse())];
}

/** What transformers fills a new tensor of a head with: norms 1 and 0, biases 0, all else N(0, initializer_range); and peft B of LoRA with 0. */
export function initialValues(seed: number, name: string, length: number, initializerRange: number): Float32Array {
  if (name.endsWith('bias') || name.endsWith('.lora_B.weight')) return new Float32Array(length);
  if (isNorm(name)) return new Float32Array(length).fill(1);
  return normalValues(seed, name, length, initializerRange);
}

/** `initializer_range` of config.json; 0.02 where it has none. */
export function initializerRange(config: ModelConfig): number {
  const value = config.raw['initializer_range'];
  return typeof value === 'number' && value >= 0 ? value : 0.02;
}
