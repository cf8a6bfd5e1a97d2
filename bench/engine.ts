/** How the rivals, which pad, put texts into batches. Bertha packs and is given all texts at once. */
export type Batching = 'arrival' | 'sorted' | 'one';

/** Texts to embed, and how. */
export interface Work {
  readonly texts: readonly string[];
  /** The token ids of each text, special tokens included. */
  readonly ids: readonly Int32Array[];
  /** Texts in a rival's batch. */
  readonly batchSize: number;
  readonly batching: Batching;
}

/** Does the work once and tells how many milliseconds it took. */
export interface TimedRun {
  (): Promise<number>;
  /** Does it so many times without a pause, where the work is another process's. */
  readonly repeat?: (times: number) => Promise<readonly number[]>;
  /** The process that does it, which is stopped while others have their turn. */
  readonly pid?: number;
}

/** A model loaded by an engine. */
export interface Runner {
  /** Text to vector, tokenizer included. */
  text(work: Work): TimedRun;
  /** From token ids on: the encoder, and for Bertha pooling too. Absent where an engine cannot be entered there. */
  encoder?(work: Work): TimedRun;
  /** Vectors of length 1, to check that engines compute the same. */
  vectors(texts: readonly string[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** A model on disk in the forms that the engines read. */
export interface BenchModel {
  readonly name: string;
  /** The Hugging Face directory. */
  readonly directory: string;
  /** ONNX graphs by precision, where there are any. */
  readonly onnx: Readonly<Partial<Record<string, string>>>;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
}

/** An engine at one precision. */
export interface Engine {
  /** As tables and results call it. */
  readonly name: string;
  readonly precision: string;
  readonly version: string;
  readonly isRival: boolean;
  /** Whether it batches texts itself, so that one way of batching is all there is to measure. */
  readonly packs: boolean;
  load(model: BenchModel, threads: number): Promise<Runner>;
  /** Milliseconds of loading a model and of its first vector, of a short text; `cache` is a folder for packed weights. */
  first?(model: BenchModel, threads: number, cache?: string): Promise<number>;
  /** The process of its own that it has. */
  readonly pid?: number;
}

/** Milliseconds that `work` took. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The indices of texts in batches, in the order that `batching` asks for. */
export function batchesOf({ ids, batchSize, batching }: Pick<Work, 'ids' | 'batchSize' | 'batching'>): number[][] {
  const order = ids.map((_, i) => i);
  if (batching === 'sorted') order.sort((a, b) => ids[b]!.length - ids[a]!.length);
  const size = batching === 'one' ? 1 : batchSize;
  const batches: number[][] = [];
  for (let begin = 0; begin < order.length; begin += size) batches.push(order.slice(begin, begin + size));
  return batches;
}
