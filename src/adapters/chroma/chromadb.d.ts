// What the adapter needs of chromadb, an optional peer, so that this package builds without it. test/adapters compiles the adapter against
// the real declarations.
declare module 'chromadb' {
  export type EmbeddingFunctionSpace = 'cosine' | 'l2' | 'ip';
  export interface EmbeddingFunction {
    generate(texts: string[]): Promise<number[][]>;
    generateForQueries?(texts: string[]): Promise<number[][]>;
    name?: string;
  }
  export interface EmbeddingFunctionClass {
    new (...args: never[]): EmbeddingFunction;
    name: string;
    buildFromConfig(config: Record<string, unknown>): EmbeddingFunction;
  }
  export const knownEmbeddingFunctions: Map<string, EmbeddingFunctionClass>;
  export function registerEmbeddingFunction(name: string, fn: EmbeddingFunctionClass): void;
  export interface SparseVector {
    indices: number[];
    values: number[];
    tokens?: string[] | null;
  }
  export interface SparseEmbeddingFunction {
    generate(texts: string[]): Promise<SparseVector[]>;
    generateForQueries?(texts: string[]): Promise<SparseVector[]>;
    name?: string;
  }
  export interface SparseEmbeddingFunctionClass {
    new (...args: never[]): SparseEmbeddingFunction;
    name: string;
    buildFromConfig(config: Record<string, unknown>): SparseEmbeddingFunction;
  }
  export const knownSparseEmbeddingFunctions: Map<string, SparseEmbeddingFunctionClass>;
  export function registerSparseEmbeddingFunction(name: string, fn: SparseEmbeddingFunctionClass): void;
}
