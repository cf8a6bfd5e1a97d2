/** Vectors of words: word2vec, fastText and GloVe trained, read, written, searched. @module */
export { loadWordVectors, type LoadedFormat, type LoadOptions, type LoadProgress } from './files/load-word-vectors.js';
export type { SavedFormat, SaveOptions } from './files/save-vectors.js';
export type { PlotOptions, WordPlot } from './plot/plot-words.js';
export type { PlottedWord } from './plot/word-map.js';
export type { DocumentOptions, DocumentsOptions, WordWeights } from './queries/documents.js';
export type { Analogy, AnalogyScores, AnalogySection, EvaluationOptions, WordPairOptions, WordPairScores } from './queries/evaluate.js';
export { KeyedVectors, type SearchOptions } from './queries/keyed-vectors.js';
export type { MostSimilarQuery, QueryTerm, SimilarWord } from './queries/most-similar.js';
export { distillVectors, type DistillVectorsOptions } from './static/distill-vectors.js';
export { StaticVectors, type SaveStaticOptions } from './static/static-vectors.js';
export { ngramIds, subwordHash, wordNgramIds, type NgramRange } from './subwords.js';
export type { Corpus, Sentence } from './training/corpus.js';
export type { TrainingProgress as WordTrainingProgress } from './training/progress.js';
export type { TrainingReport as WordTrainingReport } from './training/run-training.js';
export { trainFastText, trainGloVe, trainWord2Vec } from './training/train.js';
export type { CorpusTrainingOptions, FastTextOptions, GloveOptions, Word2VecOptions } from './training/train-options.js';
export { segmentWords } from '../learn/text/tokenize.js';
