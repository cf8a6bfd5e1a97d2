/** Handles of native word vectors. */
export interface NativeCorpus {
  readonly brand: 'NativeCorpus';
}
export interface NativeTraining {
  readonly brand: 'NativeTraining';
}
export interface NativeWordVectors {
  readonly brand: 'NativeWordVectors';
}
export interface NativeWordSearch {
  readonly brand: 'NativeWordSearch';
}

export interface NativeVectorsReading {
  readonly brand: 'NativeVectorsReading';
}
export interface NativeVectorsWriting {
  readonly brand: 'NativeVectorsWriting';
}

/** What a corpus held; native/cpu/word-vectors/corpus/corpus.h. */
export interface NativeCorpusReport {
  readonly words: number;
  readonly sentences: number;
  readonly distinctWords: number;
  readonly repairedWords: number;
  readonly cutWords: number;
  readonly forgottenWords: number;
  readonly bytes: number;
}

/** How far a training is. */
export interface NativeTrainingProgress {
  readonly done: number;
  readonly of: number;
  readonly epoch: number;
  readonly rate: number;
  /** Of word2vec and fastText, before they are allocated; else 0. */
  readonly tableBytes: number;
  readonly lossSum: number;
  readonly lossCount: number;
}

/** How word2vec and fastText learn; native/cpu/word-vectors/training/word2vec.h. */
export interface NativeWord2VecOptions {
  readonly sg: boolean;
  readonly hs: boolean;
  readonly cbowMean: boolean;
  readonly shrinkWindows: boolean;
  readonly vectorSize: number;
  readonly window: number;
  readonly negative: number;
  readonly epochs: number;
  readonly threads: number;
  readonly nsExponent: number;
  readonly sample: number;
  readonly alpha: number;
  readonly minAlpha: number;
  readonly seed: number;
  readonly isFastText: boolean;
  /** What the tables may take; 0: not known. */
  readonly availableBytes: number;
  readonly minN?: number | undefined;
  readonly maxN?: number | undefined;
  readonly bucket?: number | undefined;
}

/** How co-occurrences are counted; native/cpu/word-vectors/glove/cooccurrences.h. */
export interface NativeCountingOptions {
  readonly window: number;
  readonly symmetric: boolean;
  readonly distanceWeighting: boolean;
  readonly memoryBytes: number;
  readonly directory: string;
}

/** How GloVe learns; native/cpu/word-vectors/glove/glove.h. */
export interface NativeGloveOptions extends NativeCountingOptions {
  readonly vectorSize: number;
  readonly epochs: number;
  readonly threads: number;
  readonly seed: number;
  readonly xMax: number;
  readonly alpha: number;
  readonly eta: number;
}

/** How a file is read; native/cpu/word-vectors/files/vectors_reader.h. */
export interface NativeReadingOptions {
  readonly format: 'auto' | 'word2vec' | 'word2vec-binary' | 'glove' | 'fasttext';
  readonly header: 'auto' | 'true' | 'false';
  readonly limit: number;
  readonly refusesBadUtf8: boolean;
  readonly withSubwords: boolean;
  readonly threads: number;
  /** What errors call the file. */
  readonly name: string;
}

/** What a file held. */
export interface NativeReadVectors {
  readonly vectors: NativeWordVectors;
  readonly duplicates: number;
  readonly repairedWords: number;
}

/** Word vectors in native memory: corpora, training, queries. Arrays are copied before a call returns. */
export interface NativeWords {
  newCorpus(directory: string, maxVocab: number): NativeCorpus;
  /** Removes temporary files that processes which were killed have left in a folder. */
  removeAbandoned(directory: string): Promise<void>;
  addFile(corpus: NativeCorpus, path: string): Promise<void>;
  addText(corpus: NativeCorpus, bytes: Uint8Array, isEnd: boolean): Promise<void>;
  /** Words by their lengths in bytes; -1 ends a sentence. */
  addWords(corpus: NativeCorpus, bytes: Uint8Array, lengths: Int32Array): Promise<void>;
  finishCorpus(corpus: NativeCorpus): Promise<void>;
  corpusReport(corpus: NativeCorpus): NativeCorpusReport;
  commonWords(
    corpus: NativeCorpus,
    minCount: number,
  ): { readonly kept: number; readonly keptWords: number; readonly mostFrequent?: string; readonly mostFrequentCount?: number };
  cancelCorpus(corpus: NativeCorpus): void;

  newWord2Vec(corpus: NativeCorpus, minCount: number, options: NativeWord2VecOptions, initial: NativeWordVectors | null): NativeTraining;
  newGlove(corpus: NativeCorpus, minCount: number, options: NativeGloveOptions): NativeTraining;
  /** [word, context, count, …] in order of word, then context, and the words; for tests. */
  countCooccurrences(
    corpus: NativeCorpus,
    minCount: number,
    options: NativeCountingOptions,
  ): { readonly triples: readonly number[]; readonly words: readonly string[] };
  train(training: NativeTraining): Promise<NativeWordVectors>;
  trainingProgress(training: NativeTraining): NativeTrainingProgress;
  cancelTraining(training: NativeTraining): void;

  /** Vectors without words, with room for so many, and for bytes of them. */
  newVectors(rows: number, dimensions: number, textBytes: number): NativeWordVectors;
  /** Adds words by their lengths in bytes, values [words, dimensions], counts; of words that stand twice the first stays. */
  addVectors(vectors: NativeWordVectors, bytes: Uint8Array, lengths: Int32Array, values: Float32Array, counts: Float64Array | null): void;
  vectorsInfo(vectors: NativeWordVectors): {
    readonly size: number;
    readonly dimensions: number;
    readonly bytes: number;
    readonly isFastText: boolean;
  };
  indexOf(vectors: NativeWordVectors, word: string): number;
  words(vectors: NativeWordVectors, begin: number, end: number): string[];
  count(vectors: NativeWordVectors, row: number): number;
  setCount(vectors: NativeWordVectors, row: number, count: number): void;
  row(vectors: NativeWordVectors, row: number): Float32Array;
  /** [end - begin, dimensions] */
  rows(vectors: NativeWordVectors, begin: number, end: number): Float32Array;
  /** The vector of any word by its n-grams; undefined where the model has none of them. */
  compose(vectors: NativeWordVectors, word: string): Float32Array | undefined;
  /** Up to `count` words that differ from `word` in few characters, the nearest first. */
  nearestSpellings(vectors: NativeWordVectors, word: string, count: number): string[];
  ngramIds(bytes: Uint8Array, minN: number, maxN: number, buckets: number): Int32Array;
  /** `above` NaN: the best `topN`; else all rows with a higher cosine. */
  newWordSearch(
    vectors: NativeWordVectors,
    queries: Float64Array,
    topN: number,
    rows: number,
    excluded: Int32Array,
    numPositive: number,
    above: number,
  ): NativeWordSearch;
  searchWords(
    search: NativeWordSearch,
  ): Promise<{ readonly indices: Int32Array; readonly scores: Float64Array; readonly counts: Int32Array }>;
  cancelWordSearch(search: NativeWordSearch): void;

  newReading(path: string, options: NativeReadingOptions): NativeVectorsReading;
  read(reading: NativeVectorsReading): Promise<NativeReadVectors>;
  /** Bytes. */
  readingProgress(reading: NativeVectorsReading): { readonly done: number; readonly of: number };
  cancelReading(reading: NativeVectorsReading): void;

  newWriting(
    vectors: NativeWordVectors,
    path: string,
    format: 'word2vec' | 'word2vec-binary' | 'glove' | 'fasttext' | 'safetensors' | 'vocabulary',
  ): NativeVectorsWriting;
  write(writing: NativeVectorsWriting): Promise<void>;
  cancelWriting(writing: NativeVectorsWriting): void;
}
