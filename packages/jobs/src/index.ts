// Public names of bertha-jobs.
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
export type { BadRow, Document, Source, SourceItem, Unit } from './source/source.js';
export { version } from './version.js';
