import type { Engine } from '../engine.js';
import { berthaEngine } from './bertha.js';
import { onnxRuntimeEngine } from './onnxruntime.js';
import { transformersEngine } from './transformers.js';

/** Which engine of this package's processes, and how it is set. */
export type EngineSpec =
  | { readonly kind: 'bertha'; readonly precision: string; readonly sync?: boolean }
  | { readonly kind: 'onnxruntime'; readonly precision: 'fp32' | 'int8'; readonly spins?: boolean }
  | { readonly kind: 'transformers.js' };

/** The engine that a spec means. */
export function createEngine(spec: EngineSpec): Engine {
  switch (spec.kind) {
    case 'bertha':
      return berthaEngine(spec.precision, { sync: spec.sync === true });
    case 'onnxruntime':
      return onnxRuntimeEngine(spec.precision, { spins: spec.spins !== false });
    case 'transformers.js':
      return transformersEngine();
  }
}
