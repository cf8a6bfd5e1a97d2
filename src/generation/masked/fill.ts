import { uniform } from './random.js';

/** A text whose masks are being filled. */
export interface MaskedText {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  /** Rising positions of what is to be written. */
  readonly masked: readonly number[];
}

/** A text whose masks are filled. */
export interface WrittenText {
  readonly ids: Int32Array;
  /** The ids after each round, or each sweep. */
  readonly trace: readonly (readonly number[])[];
  /** Of the words at `masked`, when they were written; mask-predict alone has them. */
  readonly logProbabilities?: readonly number[];
}

/** A text as the model is to read it, and where its logits are wanted. */
export interface Wanted {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  readonly selected: Int32Array;
}

/** Computes [selected, vocab] logits for each text. */
export type ComputeLogits = (texts: readonly Wanted[]) => Promise<readonly Float32Array[]>;

/** What all ways of filling need to know of a model. */
export interface MaskedVocabulary {
  readonly maskId: number;
  readonly vocabSize: number;
  /** Whether an id is never written. */
  readonly isForbidden: (id: number) => boolean;
}

/** How Gibbs sampling draws. */
export interface GibbsSettings {
  readonly sweeps: number;
  readonly seed: number;
  readonly temperature: number;
  /** 0: of all words. */
  readonly topK: number;
}

/** Logits that are computed at once, at least those of one text: 64 MB. */
const mostLogits = 1 << 24;

/** Texts in groups whose masks' logits take bounded memory. */
export function groupsOf(texts: readonly MaskedText[], vocabSize: number, most = mostLogits): readonly (readonly MaskedText[])[] {
  const groups: MaskedText[][] = [];
  let room = 0;
  for (const text of texts) {
    const logits = text.masked.length * vocabSize;
    if (groups.length === 0 || logits > room) {
      groups.push([]);
      room = most;
    }
    groups.at(-1)!.push(text);
    room -= logits;
  }
  return groups;
}

/**
 * Mask-predict (Ghazvininejad et al. 2019): all masks are filled at once by the likeliest words, then in each of `iterations` rounds the least certain are
 * masked again, fewer each time. All texts are computed together.
 *
 * Errors: those of `compute`.
 */
export async function maskPredict(
  texts: readonly MaskedText[],
  iterations: number,
  vocabulary: MaskedVocabulary,
  compute: ComputeLogits,
): Promise<readonly WrittenText[]> {
  const states = texts.map((text) => ({
    ...text,
    ids: text.ids.slice(),
    again: text.masked,
    sure: new Map<number, number>(),
    trace: [] as number[][],
  }));
  for (let round = 0; round < iterations; round++) {
    const open = states.filter(({ again }) => again.length > 0);
    if (open.length === 0) break;
    const wanted = open.map(({ ids, typeIds, again }) => {
      const read = ids.slice();
      for (const position of again) read[position] = vocabulary.maskId;
      return { ids: read, typeIds, selected: Int32Array.from(again) };
    });
    const rows = await compute(wanted);
    open.forEach((state, i) => {
      state.again.forEach((position, m) => {
        const row = rows[i]!.subarray(m * vocabulary.vocabSize, (m + 1) * vocabulary.vocabSize);
        const { id, logit } = likeliest(row, vocabulary);
        state.ids[position] = id;
        state.sure.set(position, logit - logSumExp(row));
      });
      state.trace.push(Array.from(state.ids));
      const count = Math.floor((state.masked.length * (iterations - round - 1)) / iterations);
      state.again = [...state.masked].sort((a, b) => state.sure.get(a)! - state.sure.get(b)! || a - b).slice(0, count);
    });
  }
  return states.map(({ ids, trace, masked, sure }) => ({ ids, trace, logProbabilities: masked.map((position) => sure.get(position)!) }));
}

/**
 * Gibbs sampling (Wang and Cho 2019): in each sweep one position after the other is masked and drawn anew; the number that decides is a function of seed,
 * sweep and position. All texts are computed together.
 *
 * Errors: those of `compute`.
 */
export async function gibbs(
  texts: readonly MaskedText[],
  settings: GibbsSettings,
  vocabulary: MaskedVocabulary,
  compute: ComputeLogits,
): Promise<readonly WrittenText[]> {
  const states = texts.map((text) => ({ ...text, ids: text.ids.slice(), trace: [] as number[][] }));
  const turns = Math.max(0, ...texts.map(({ masked }) => masked.length));
  for (let sweep = 0; sweep < settings.sweeps; sweep++) {
    for (let turn = 0; turn < turns; turn++) {
      const open = states.filter(({ masked }) => turn < masked.length);
      for (const { ids, masked } of open) ids[masked[turn]!] = vocabulary.maskId;
      const rows = await compute(
        open.map(({ ids, typeIds, masked }) => ({ ids: ids.slice(), typeIds, selected: Int32Array.of(masked[turn]!) })),
      );
      open.forEach(({ ids, masked }, i) => {
        const position = masked[turn]!;
        ids[position] = draw(rows[i]!, settings, uniform(settings.seed, sweep, position), vocabulary);
      });
    }
    for (const { ids, trace } of states) trace.push(Array.from(ids));
  }
  return states.map(({ ids, trace }) => ({ ids, trace }));
}

/** The first id whose cumulative probability, in order of ids, exceeds `u`. */
function draw(row: Float32Array, { temperature, topK }: GibbsSettings, u: number, { isForbidden }: MaskedVocabulary): number {
  const scores = Float64Array.from(row, (logit, id) => (isForbidden(id) ? -Infinity : logit / temperature));
  if (topK > 0 && topK < scores.length) {
    const least = Float64Array.from(scores).sort().at(-topK)!;
    scores.forEach((score, id) => {
      if (score < least) scores[id] = -Infinity;
    });
  }
  const peak = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const sums = new Float64Array(scores.length);
  let sum = 0;
  scores.forEach((score, id) => (sums[id] = sum += Math.exp(score - peak)));
  const at = sums.findIndex((each) => each > u * sum);
  return at >= 0 ? at : scores.lastIndexOf(peak);
}

/** The likeliest word, of equal ones that of the lowest id. */
function likeliest(row: Float32Array, { isForbidden }: MaskedVocabulary): { readonly id: number; readonly logit: number } {
  let [id, logit] = [-1, -Infinity];
  row.forEach((value, each) => {
    if (value > logit && !isForbidden(each)) [id, logit] = [each, value];
  });
  return { id, logit };
}

function logSumExp(row: Float32Array): number {
  const peak = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return peak + Math.log(row.reduce((sum, value) => sum + Math.exp(value - peak), 0));
}
