const kMultipliers = [0xd2511f53, 0xcd9e8d57] as const;
const kWeyl = [0x9e3779b9, 0xbb67ae85] as const;
const kRounds = 10;
/** Tells these numbers from others of the same seed. */
const kPurpose = 0x67656e31;

/**
 * A number in [0, 1) with 53 bits, by Philox-4x32-10 (Salmon et al. 2011): a function of the seed, of which sequence it is for and of the step, and of
 * nothing else. `seed`: a whole number from 0 to 2^53 - 1.
 */
export function uniform(seed: number, sequence: number, step: number, draw = 0): number {
  let [a, b, c, d] = [step, sequence, draw, kPurpose];
  let [low, high] = [(seed % 2 ** 32) >>> 0, Math.floor(seed / 2 ** 32)];
  for (let round = 0; round < kRounds; round++) {
    const [first, second] = [wide(kMultipliers[0], a), wide(kMultipliers[1], c)];
    [a, b, c, d] = [(second.high ^ b ^ low) >>> 0, second.low, (first.high ^ d ^ high) >>> 0, first.low];
    low = (low + kWeyl[0]) >>> 0;
    high = (high + kWeyl[1]) >>> 0;
  }
  return (a * 2 ** 21 + (b >>> 11)) * 2 ** -53;
}

/** A product of two whole numbers of 32 bits. */
function wide(x: number, y: number): { readonly high: number; readonly low: number } {
  const product = BigInt(x) * BigInt(y);
  return { high: Number(product >> 32n), low: Number(product & 0xffffffffn) };
}
