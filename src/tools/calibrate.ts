import path from 'node:path';
import { createTokenizer } from '../architectures/create-tokenizer.js';
import { Call } from '../calls/call.js';
import { callSchema } from '../calls/options.js';
import { TextSource } from '../calls/source.js';
import { asIds, TextReader } from '../calls/text-reader.js';
import { CALIBRATION_FILE, type CalibratedLinear, writeCalibration } from '../checkpoint/calibration.js';
import { requireNumbers } from '../checkpoint/weights/row-scales.js';
import { openModelDirectory } from '../models/model-directory.js';
import { wrongArgument } from '../expected.js';
import { filePath, type FilePath } from '../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../hub/index.js';
import { buildModel, requireEncoder } from '../models/index.js';
import { toNativeProgram } from '../models/program/native-program.js';
import { type SmoothableLinear, smoothableLinears } from '../models/program/smoothing.js';
import { callback, integer, readOptions, text } from '../options.js';
import { Session } from '../runtime/session.js';

/** How `calibrate` calibrates. */
export interface CalibrateOptions {
  /** Name of the texts, kept in the file. Default `'unnamed'`. */
  readonly corpus?: string | undefined;
  /** File to write instead of bertha_calibration.safetensors in the model's directory, where loading looks for it. */
  readonly output?: FilePath | undefined;
  /** Threads that compute. Default: what the machine grants. */
  readonly threads?: number | undefined;
  /** Stops the call, which then rejects with the signal's reason and writes nothing. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many texts are done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** What `calibrate` has written. */
export interface CalibrationReport {
  readonly path: string;
  readonly texts: number;
  readonly tokens: number;
  /** Names of the linear layers that int8 will smooth. */
  readonly layers: readonly string[];
}

const schema = { corpus: text, output: filePath, threads: integer(1, 1024), signal: callSchema.signal, onProgress: callback };

/** Every layer's input of so many tokens fits memory many times over. */
const kJobTokens = 2048;
/** Scales stay within these even where a column never had a value. */
const kScaleRange = [1e-3, 1e3] as const;

/**
 * Makes a model more accurate in int8: runs its encoder in float32 over texts like those it will see, notes how large each input column
 * of the layers after a LayerNorm gets, and writes the scales that even these columns out (SmoothQuant with alpha 0.5). Some 200 texts
 * are enough. `loadModel` finds the file by itself. `directory` is what `loadModel` takes: a directory, or an id on the Hub.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, IO, MODEL_NOT_FOUND, those of reading a model directory and of `loadModel` for an id, or the signal's reason.
 */
export async function calibrate(directory: ModelPath, texts: readonly string[], options?: CalibrateOptions): Promise<CalibrationReport> {
  const model = readModelPath(directory, 'calibrate');
  if (!Array.isArray(texts) || texts.length === 0 || texts.some((each) => typeof each !== 'string')) {
    throw wrongArgument('a list of texts for calibrate, at least one,', texts);
  }
  const { corpus = 'unnamed', output, threads, signal, onProgress } = readOptions('calibrate', options, schema);
  const opened = await openModelDirectory(await resolveModel(model, {}, 'model'));
  try {
    requireNumbers(opened.tensors, 'calibrate');
    requireEncoder(opened, 'calibrate');
    const { program } = buildModel(opened, { heads: false });
    const linears = smoothableLinears(program);
    const tokenizer = createTokenizer(opened.tokenizerFiles, { maxLength: opened.maxLength });
    const { config, maxLength: maxTokens, sentenceTransformers: sentence } = opened;
    const reader = new TextReader('calibrate', { tokenizer, maxTokens, config, sentence }, {});
    const session = await Session.load(toNativeProgram(program), threads === undefined ? {} : { threads });
    try {
      const largest = linears.map(({ input }) => new Float32Array(input.width));
      let tokens = 0;
      const call = new Call('calibrate', { session, config: opened.config }, { signal, priority: 'bulk' });
      await call.compute(
        new TextSource(texts, reader, asIds, ({ ids }) => [{ ids }]),
        linears.map(({ input }) => input),
        (job, inputs) => {
          inputs.forEach((rows, i) => raiseToColumns(largest[i]!, rows));
          tokens += job.tokens;
          onProgress?.({ done: job.first + job.sequences.length });
        },
        { jobTokens: kJobTokens, jobsInFlight: 1 },
      );
      const calibrated = await Promise.all(linears.map((linear, i) => smooth(linear, largest[i]!)));
      await opened.verifyUnchanged();
      const file = output ?? path.join(opened.path, CALIBRATION_FILE);
      await writeCalibration(file, calibrated, { corpus, texts: texts.length, tokens });
      return { path: file, texts: texts.length, tokens, layers: linears.map(({ name }) => name) };
    } finally {
      session.dispose();
    }
  } finally {
    await opened.close();
  }
}

/** s[i] = sqrt(largest input / largest weight) of column i: both sides then have the same range, sqrt(input · weight). */
async function smooth({ name, tensors, input }: SmoothableLinear, inputMax: Float32Array): Promise<CalibratedLinear> {
  const weightMax = new Float32Array(input.width);
  for (const tensor of tensors) raiseToColumns(weightMax, await tensor.file.readFloat32(tensor.name));
  const inputScale = inputMax.map((largest, i) => {
    const weight = weightMax[i]!;
    if (largest === 0 || weight === 0) return 1;
    return Math.min(Math.max(Math.sqrt(largest / weight), kScaleRange[0]), kScaleRange[1]);
  });
  return { name, inputMax, inputScale };
}

/** largest[column] = max(largest[column], |row[column]|) over rows [rows, columns]. */
function raiseToColumns(largest: Float32Array, rows: Float32Array): void {
  const columns = largest.length;
  for (let row = 0; row < rows.length; row += columns) {
    for (let column = 0; column < columns; column++) {
      const magnitude = Math.abs(rows[row + column]!);
      if (magnitude > largest[column]!) largest[column] = magnitude;
    }
  }
}
