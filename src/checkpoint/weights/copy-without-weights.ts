import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { unexpected } from '../../expected.js';
import { CALIBRATION_FILE } from '../calibration.js';
import { quotePath } from '../describe.js';
import { ioError, isMissing } from '../files.js';
import { listFiles } from '../list-files.js';
import { makeFolder } from '../make-folder.js';

/** The weights as they were, and what other libraries read. */
const kWeights = /^model(?:-\d+-of-\d+)?\.safetensors(?:\.index\.json)?$/;
const kOtherWeights = /(?:^|\/)(?:(?:onnx|openvino|coreml)\/|[^/]*\.(?:bin|pt|pth|ckpt|pkl|h5|msgpack|ot|onnx|onnx_data|gguf|tflite)$)/;

/**
 * Copies a model directory's files but those of its weights, which lie in `folder` of it: configuration, tokenizer, modules with their own weights, heads.
 * Without `keepsCalibration` that stays behind as well. `to` is a new or an empty folder.
 *
 * Errors: IO.
 */
export async function copyWithoutWeights(
  from: string,
  to: string,
  { folder, keepsCalibration }: { readonly folder: string; readonly keepsCalibration: boolean },
): Promise<void> {
  await requireEmpty(to);
  await makeFolder(path.join(to, folder));
  for (const { name } of await listFiles(from)) {
    const isOwn = path.dirname(name) === path.normalize(folder === '' ? '.' : folder) && kWeights.test(path.basename(name));
    if (isOwn || kOtherWeights.test(name) || name.startsWith('.') || (!keepsCalibration && name === CALIBRATION_FILE)) continue;
    await makeFolder(path.dirname(path.join(to, name)));
    await copyFile(path.join(from, name), path.join(to, name)).catch((error: unknown) => {
      throw ioError(`copy ${quotePath(name)} to ${quotePath(to)}`, error);
    });
  }
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    const failure = ioError(`read ${quotePath(folder)}`, error);
    if (isMissing(failure)) return [];
    throw failure;
  });
  if (names.length > 0) throw unexpected('IO', `a new or empty folder for ${quotePath(folder)}`, `one with ${names.length} entries`);
}
