import type { TensorSource } from '../../architectures/weight-reader.js';
import type { SafetensorsFile, TensorInfo } from '../../checkpoint/safetensors/safetensors.js';

/** Tensors that no file has yet: whatever an architecture asks for is there, and is noted. Its program is for nobody to compute. */
export class NewTensors implements TensorSource {
  /** The shapes of all that were asked for, by name. */
  readonly shapes = new Map<string, readonly number[]>();

  has(_name: string): boolean {
    return true;
  }

  take(name: string, shape: readonly number[]): TensorInfo {
    this.shapes.set(name, shape);
    const byteLength = shape.reduce((product, size) => product * size, 4);
    const file = undefined as unknown as SafetensorsFile;
    return { name, dtype: 'F32', shape, byteOffset: 0, byteLength, file };
  }

  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } {
    const before = new Set(this.shapes.keys());
    const result = use();
    return { result, taken: new Set([...this.shapes.keys()].filter((name) => !before.has(name))) };
  }
}
