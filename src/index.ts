export { BerthaError, type ErrorCode, type ErrorKind } from './errors.js';
export type { FilePath } from './file-path.js';
export { configure, type Locations } from './runtime/configure.js';
export { inspectModel } from './tools/inspect.js';
export { embedderOf, loadEmbedder, type Embedder, type LoadEmbedderOptions, type RerankTokensOptions } from './embedding/embed.js';
export type { Embedding, EmbeddingJson, EmbedIdsOptions, EmbedOptions, EmbedSyncOptions } from './embedding/embedding.js';
export type { EmbedManyOptions } from './embedding/embed-many.js';
export type { EmbedTokensOptions, TokenEmbedding } from './embedding/tokens/embed-tokens.js';
export type { EmbedSparseOptions, SparseEmbedding } from './embedding/sparse/embed-sparse.js';
export { loadTokenizer } from './models/load-tokenizer.js';
export { systemInfo, type CudaDevice, type SystemInfo } from './tools/system-info.js';
export {
  stats,
  type CallEvent,
  type CallReport,
  type CallTimings,
  type EmbedEvent,
  type EmbedTimings,
  type Stats,
  type TrainingStats,
  type TaskEvent,
} from './runtime/observe.js';
export type { GenerationStats } from './runtime/generation/native-generation.js';
export { setMaxStateBytes } from './runtime/generation/max-state-bytes.js';
export { setQueueLimit } from './runtime/queue-limit.js';
export { pairwiseSimilarity, similarity } from './vectors/similarity.js';
export { similarityMatrix, type SimilarityMatrixOptions } from './vectors/similarity-matrix.js';
export { maxSim, type VectorRowsOf } from './vectors/max-sim.js';
export { sparseDot, type SparseVector } from './vectors/sparse-vectors.js';
export { semanticSearch, type SearchOptions, type SearchResult } from './vectors/semantic-search.js';
export { communityDetection, type CommunityOptions } from './vectors/communities.js';
export { paraphraseMining, type ParaphraseOptions, type TextEmbedder, type VectorPair } from './vectors/paraphrases.js';
export { formatVectors } from './vectors/format-vectors.js';
export { loadVectors, saveVectors, type VectorFileOptions } from './vectors/vector-files.js';
export type { Components, FloatArray, VectorLike, VectorMatrix } from './vectors/vector-like.js';
export { compare, type CompareOptions, type Comparison, type Difference, type TextComparison } from './tools/compare.js';
export { comparisonHtml, comparisonSvg } from './tools/compare-chart.js';
export { calibrate, type CalibrateOptions, type CalibrationReport } from './tools/calibrate.js';
export { quantizeModel, type QuantizedDtype, type QuantizeModelOptions, type QuantizeReport } from './tools/quantize.js';
export {
  dequantizeVectors,
  quantizeVectors,
  type BinaryVectors,
  type Int8Vectors,
  type QuantizedVectors,
  type VectorFormat,
} from './vectors/quantize-vectors.js';
export { quantizedSimilarity, rescore, type RescoreOptions, type ScoredVector } from './vectors/rescore.js';
export type { Device, DeviceOption, DeviceReport } from './runtime/options/device.js';
export type { Precision, PrecisionOption, PrecisionReport } from './runtime/options/precision.js';
export type { WeightCacheOption, WeightCacheReport } from './runtime/options/weight-cache.js';
export {
  downloadModel,
  type DownloadedModel,
  type DownloadModelOptions,
  type FileProgress,
  type HubOptions,
  type ModelPath,
  type ProgressEvent,
  type TotalProgress,
} from './hub/index.js';
export {
  loadModel,
  type BundledTask,
  type ForwardInput,
  type ForwardOptions,
  type ForwardResult,
  type MemoryUsage,
  type Heads,
  type LoadModelOptions,
  type MaskedLmHead,
  type Model,
  type ModelTensor,
  type ModelValues,
  type RowDomain,
  type Value,
} from './models/index.js';
export type { InspectedTensor, ModelInspection, Problem } from './tools/inspect-directory.js';
export type { ModelConfig } from './architectures/config.js';
export type { ActivationName } from './checkpoint/activation.js';
export type { TensorInfo } from './checkpoint/safetensors/safetensors.js';
export type { TensorFile } from './checkpoint/weights/tensor-file.js';
export type { JsonObject } from './checkpoint/json-fields.js';
export type { ProblemType } from './checkpoint/labels.js';
export type { PoolingConfig } from './checkpoint/sentence/pooling.js';
export type { TokenizerFiles } from './checkpoint/tokenizer-files.js';
export type {
  CrossEncoderConfig,
  DenseModule,
  LayerNormModule,
  NormalizeModule,
  SentenceTransformersConfig,
  SimilarityName,
} from './checkpoint/sentence/sentence-transformers.js';
export type { NativeMemory } from './runtime/native-stats.js';
export type { BatchInputs, PackedBatch } from './runtime/batch.js';
export type { RunOptions, Session, Wanted } from './runtime/session.js';
export type {
  DecodeOptions,
  EncodedIds,
  EncodeOptions,
  Encoding,
  EncodingTask,
  IdList,
  Side,
  Tokenizer,
  TruncationStrategy,
} from './tokenizer/index.js';
export * from './embedding/chunks/index.js';
export { sentenceSimilarity } from './embedding/sentence-similarity.js';
export * from './tasks/index.js';
export {
  fillMasks,
  type FilledMasks,
  type FillMasksOptions,
  pseudoLogLikelihood,
  type PseudoLikelihood,
} from './generation/masked/fill-masks.js';
export { generate, type GeneratedText, type GenerateOptions, type GenerationInput } from './generation/generate.js';
export { generateStream, type StreamedText } from './generation/stream.js';
export type { FinishReason, GenerationSettings } from './generation/settings.js';
export {
  summarize,
  type SummarizeOptions,
  translate,
  type TranslatedSentence,
  type TranslateOptions,
  type Translation,
} from './generation/translate.js';
export type { TextInput, TextPair } from './calls/inputs.js';
export type { CallOptions, LimitOptions, PromptOptions, TaskOptions } from './calls/options.js';
export * from './compat/index.js';
export * from './evaluators/index.js';
export * as metrics from './metrics/index.js';
