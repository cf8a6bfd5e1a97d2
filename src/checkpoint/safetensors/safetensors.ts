import { BerthaError } from '../../errors.js';
import { quotePath } from '../describe.js';
import { readFully } from '../files.js';
import { allocate, openTensorFile, TensorFile, type OpenedFile } from '../weights/tensor-file.js';
import {
  parseSafetensorsHeader,
  PREFIX_BYTES,
  safetensorsHeaderLength,
  type HeaderLimits,
  type SafetensorsHeader,
} from './safetensors-header.js';

export { DTYPES, dtypeBits, isDtype, isWeightDtype, type Dtype, type WeightDtype } from './dtype.js';
export {
  MODEL_LIMITS,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type HeaderLimits,
  type SafetensorsHeader,
  type TensorHeader,
} from './safetensors-header.js';
export { writeSafetensors, type TensorToWrite } from './safetensors-writer.js';
export type { RowScales, TensorInfo } from '../weights/tensor-file.js';

/** An open safetensors file whose header has been validated. */
export class SafetensorsFile extends TensorFile {
  private constructor(opened: OpenedFile, { tensors, metadata }: SafetensorsHeader) {
    super(opened, tensors, metadata);
  }

  /**
   * Opens a file and validates its header. At most the header is held in memory, and its length is checked before it is allocated.
   *
   * Errors: IO (missing, unreadable, not a regular file), LFS_POINTER, OUT_OF_MEMORY, and those of `parseSafetensorsHeader`.
   */
  static async open(path: string, limits?: HeaderLimits): Promise<SafetensorsFile> {
    const opened = await openTensorFile(path);
    const { handle, size } = opened;
    try {
      const prefix = new Uint8Array(Math.min(PREFIX_BYTES, size));
      await readFully(handle, prefix, 0, path);
      const head = allocate(PREFIX_BYTES + safetensorsHeaderLength(prefix, size), `the header of ${quotePath(path)}`);
      await readFully(handle, head, 0, path);
      return new SafetensorsFile(opened, parseSafetensorsHeader(head, size, limits));
    } catch (error) {
      await handle.close();
      if (!(error instanceof BerthaError) || error.code === 'IO') throw error;
      throw new BerthaError(error.code, `${quotePath(path)}: ${error.message}`, { cause: error });
    }
  }
}
