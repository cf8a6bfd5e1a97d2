/** Features, classifiers and splits as scikit-learn's, over what `embed` returns. @module */
export { fitTemperature, scaledProbabilities, type Temperature } from './calibration/temperature.js';
export { KMeans, type KMeansFitOptions, type KMeansOptions, type KMeansProgress } from './clusters/k-means.js';
export { PCA, type PcaOptions } from './decomposition/pca.js';
export { OneHotEncoder, type OneHotOptions } from './features/one-hot-encoder.js';
export { StandardScaler, type ScalerOptions, type SignalOption } from './features/standard-scaler.js';
export {
  LogisticRegression,
  type FitOptions,
  type FitProgress,
  type FittedLogistic,
  type LogisticRegressionOptions,
} from './linear/logistic-regression.js';
export { hstack, type Matrix } from './matrix/matrix.js';
export { SparseMatrix } from './matrix/sparse-matrix.js';
export { KNeighborsClassifier, type KNeighborsOptions, type Neighbors } from './neighbors/k-neighbors-classifier.js';
export { crossValScore, type Classifier, type CrossValidationOptions, type Scorer } from './split/cross-validation.js';
export { kFold, stratifiedKFold, type FoldOptions } from './split/folds.js';
export { NumpyRandom } from './split/numpy-random.js';
export { splitIndices, trainTestSplit, type Split, type SplitOf, type SplitOptions } from './split/train-test-split.js';
export { CountVectorizer, type CountVectorizerOptions } from './text/count-vectorizer.js';
export { englishStopWords } from './text/stop-words.js';
export {
  loadTextClassifier,
  TextClassifier,
  type LabelScore,
  type LoadTextClassifierOptions,
  type TextEvaluation,
} from './text-classifier/text-classifier.js';
export {
  trainTextClassifier,
  type TextClassifierData,
  type TextClassifierOptions,
  type TextClassifierProgress,
} from './text-classifier/train-text-classifier.js';
export type { LabelledColumns, LabelledTexts } from './text-classifier/read-labelled-texts.js';
export type { TextFeature } from './text-classifier/text-features.js';
export type { LoadVectorizerOptions } from './text/saved-vectorizer.js';
export { TfidfVectorizer, type TfidfVectorizerOptions } from './text/tfidf-vectorizer.js';
export { segmentWords, type AnalyzerOptions } from './text/tokenize.js';
export * from '../metrics/index.js';
