import { colors } from '../terminal/colors.js';
import { inspectModel, type ModelConfig, type ModelInspection } from '../../index.js';
import { showDownload } from '../terminal/download-progress.js';
import { openOutput } from '../output.js';
import { shorten } from '../terminal/width.js';

/** The flags of `bertha inspect`, as commander hands them over. */
export interface InspectFlags {
  readonly json?: boolean;
}

const kTensorsShown = 8;

/** Prints what a model directory holds; the exit code tells whether it can be loaded. */
export async function inspect(directory: string | undefined, flags: InspectFlags): Promise<number> {
  const inspection = await inspectModel(directory, { onProgress: showDownload() });
  const output = await openOutput(undefined, { patchable: false });
  await output.write(flags.json === true ? `${JSON.stringify(toJson(inspection), undefined, 2)}\n` : describe(inspection));
  return inspection.loadable ? 0 : 1;
}

function describe(inspection: ModelInspection): string {
  const { path, files, tensors = [], problems, loadable } = inspection;
  const lines = [
    ['directory', path],
    ['loadable', loadable ? colors.green('yes') : colors.red('no')],
    ['model', describeConfig(inspection)],
    ['tokenizer', describeTokenizer(inspection)],
    ['sentences', describeSentences(inspection)],
    ['weights', describeWeights(inspection)],
    ...tensors.slice(0, kTensorsShown).map(({ name, dtype, shape }) => ['', `${shorten(name, 60)} ${dtype} [${shape.join(', ')}]`]),
    ...(tensors.length > kTensorsShown ? [['', `… and ${tensors.length - kTensorsShown} more (--json lists all)`]] : []),
    ...files.map(({ name, bytes }, i) => [i === 0 ? 'files' : '', `${shorten(name, 60)} ${count(bytes)} bytes`]),
    ...problems.map(({ code, message }, i) => [i === 0 ? 'problems' : '', `${colors.red(code)} ${message}`]),
  ];
  return lines.map(([label, text]) => `${colors.bold(label!.padEnd(10))} ${text}\n`).join('');
}

function describeConfig({ config, modelType: declared }: ModelInspection): string {
  if (config === undefined) return declared === undefined ? 'could not be read' : `${declared}, which cannot be loaded`;
  const { modelType, architectures, decoder, isDecoder } = config;
  const classes = architectures.length > 0 ? ` (${architectures.join(', ')})` : '';
  if (decoder === undefined) return `${modelType}${classes}${isDecoder ? ', a decoder' : ''}, ${describePart(config)}`;
  return `${modelType} to ${decoder.modelType}${classes}, encoder: ${describePart(config)}; decoder: ${describePart(decoder)}`;
}

function describePart(part: NonNullable<ModelConfig['decoder']>): string {
  const { numLayers, numHeads, hiddenSize, intermediateSize, hiddenAct, maxSequenceLength } = part;
  return `${numLayers} layers, ${numHeads} heads, hidden ${hiddenSize}, intermediate ${intermediateSize}, ${hiddenAct}, ${maxSequenceLength} positions`;
}

function describeTokenizer({ tokenizerFiles, tokenizerType, config, maxLength }: ModelInspection): string {
  if (tokenizerFiles === undefined) return 'could not be read';
  const { tokenizerJson, vocab, vocabJson } = tokenizerFiles;
  const present = [tokenizerJson && 'tokenizer.json', vocab && 'vocab.txt', vocabJson && 'vocab.json'].filter((name) => name !== undefined);
  const sources = present.join(' and ') || 'no vocabulary';
  const size = config === undefined ? '' : `, ${count(config.vocabSize)} entries`;
  const type = tokenizerType === undefined ? '' : `${tokenizerType} of `;
  return `${type}${sources}${size}${maxLength === undefined ? '' : `, at most ${maxLength} tokens`}`;
}

function describeSentences({ sentenceTransformers: sentence, vectors, config }: ModelInspection): string {
  if (config?.isDecoder === true) return 'none: a decoder alone';
  if (vectors !== undefined) return vectors === 'sparse' ? 'weights of words (embedSparse)' : 'a vector for each token (embedTokens)';
  if (sentence === undefined) return 'no modules.json: pools by mean';
  const { pooling, modules, prompts } = sentence;
  const steps = [
    `pool by ${pooling.modes.join(' and ')}`,
    ...modules.map((module) =>
      module.type === 'dense' ? `dense to ${module.outFeatures} (${module.activation})` : module.type.replace('_', ' '),
    ),
  ];
  const names = Object.keys(prompts);
  return `${steps.join(', then ')}${names.length > 0 ? `; prompts: ${names.join(', ')}` : ''}`;
}

function describeWeights({ tensors, parameters, parametersByDtype }: ModelInspection): string {
  if (tensors === undefined || parameters === undefined || parametersByDtype === undefined) return 'could not be read';
  const dtypes = [...parametersByDtype].map(([dtype, values]) => `${count(values)} ${dtype}`).join(', ');
  const isTorch = tensors.some(({ file }) => file.endsWith('.bin'));
  const torch = isTorch ? '; .bin is read as tensors; no code is run' : '';
  return `${tensors.length} tensors, ${count(parameters)} values (${dtypes})${torch}`;
}

function toJson({ config, parametersByDtype, metadata, tokenizerFiles, tensors, ...rest }: ModelInspection): object {
  return {
    ...rest,
    ...(config && { config: { ...plain(config), ...(config.decoder && { decoder: plain(config.decoder) }) } }),
    ...(tokenizerFiles && { tokenizerFiles: Object.keys(tokenizerFiles) }),
    ...(parametersByDtype && { parametersByDtype: Object.fromEntries(parametersByDtype) }),
    ...(metadata && { metadata: Object.fromEntries(metadata) }),
    ...(tensors && { tensors: tensors.map(({ name, dtype, shape, file }) => ({ name, dtype, shape, file })) }),
  };
}

/** A configuration as JSON can hold it. */
function plain({ label2id, ...config }: NonNullable<ModelConfig['decoder']>): object {
  return { ...config, label2id: Object.fromEntries(label2id) };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
