export type { Boundary } from '../schemas.js';
export { chunkText, type ChunkOptions } from './chunk-text.js';
export { embedWindows, type Chunk, type EmbeddedChunk, type EmbeddedWindows, type WindowOptions } from './embed-windows.js';
