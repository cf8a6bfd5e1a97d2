// Public names of bertha-jobs.
export { indexDocuments, type IndexOptions, type IndexProgress, type IndexReport } from './indexing/index-documents.js';
export type { UnitCounts } from './indexing/index-unit.js';
export type { ModelOptions } from './indexing/model-key.js';
export type { CutOptions } from './indexing/cut.js';
export { search, type SearchHit, type StoreSearchOptions } from './search/search.js';
export { openStore, type OpenStoreOptions } from './store/open-store.js';
export type {
  Batch,
  ChunkWrite,
  DocumentWrite,
  Filter,
  FilterBounds,
  FilterValue,
  Row,
  Store,
  StoredDocument,
  StoredModel,
  StoreQuery,
  StoreSize,
  WriteResult,
} from './store/store.js';
export type { VectorIndex } from './store/postgres/schema.js';
export { openSource, type SourceOptions } from './source/open-source.js';
export type { FieldNames } from './source/records.js';
export type { BadRow, Document, Source, SourceItem, Unit } from './source/source.js';
export { spreadDocuments, openSpreadRun, type ModelSpec, type SpreadOptions, type SpreadReport, type SpreadWork } from './queue/spread.js';
export { UnitQueue, type CompletedUnits, type FailedUnit, type QueueCounts, type QueueOptions } from './queue/unit-queue.js';
export { startWorker, type OpenRun, type UnitReport, type UnitWorker, type WorkEvents, type WorkOptions } from './queue/worker.js';
export type { ProducerOptions, ProducerProgress, ProducerReport } from './queue/producer.js';
export type { RunDefinition } from './queue/unit-job.js';
export { WorkMetrics } from './queue/metrics.js';
export { runIndex } from './command/index-command.js';
export { runSearch } from './command/search-command.js';
export { version } from './version.js';
