import path from 'node:path';
import { CALIBRATION_FILE } from '../checkpoint/calibration.js';
import { resolveInside } from '../checkpoint/files.js';
import { isEncoder, readModules, transformerFolder } from '../checkpoint/sentence/module-list.js';
import { readShardNames, WEIGHT_FILES } from '../checkpoint/weights/weight-files.js';

/** What of a model is wanted: all that it computes with, or what its tokenizer needs. */
export type ModelPart = 'model' | 'tokenizer';

/** Sees to it that a file is on disk; false where the model has no such file. */
type Need = (file: string) => Promise<boolean>;

const ROOT_FILES = ['config_sentence_transformers.json', 'artifact.metadata', CALIBRATION_FILE];
/** What a tokenizer beside a table of weights needs. */
const QUERY_FILES = ['config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'tokenizer.json', 'vocab.txt'];
const TRANSFORMER_FILES = [
  'generation_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'sentence_bert_config.json',
  'sentence_distilbert_config.json',
  'sentence_roberta_config.json',
];

/**
 * Asks for the files that `openModelDirectory` reads, those that name others first and the weights last, so that a snapshot with weights
 * is a whole one. Returns whether those are there without which nothing can be loaded. `directory` is a real path.
 *
 * Errors: LFS_POINTER, INDEX, INDEX_PATH, IO, those of `need`.
 */
export async function needModelFiles(directory: string, part: ModelPart, need: Need): Promise<boolean> {
  const hasModules = await need('modules.json');
  if (hasModules) await need('router_config.json'); // what a Router in the list goes by
  const modules = hasModules ? await readModules(directory) : undefined;
  const transformer = normalize(transformerFolder(modules));
  const others = (modules?.entries ?? []).filter(({ kind }) => !isEncoder(kind));
  const queries = (modules?.query ?? []).map((module) => normalize(module.path));
  const weighted = others.filter(({ kind }) => kind === 'Dense' || kind === 'LayerNorm').map((module) => normalize(module.path));
  const inTransformer = (file: string): string => path.posix.join(transformer, file);

  await all([...ROOT_FILES, ...TRANSFORMER_FILES.map(inTransformer)], need);
  const hasConfigs = await all(
    others.map((module) => path.posix.join(normalize(module.path), 'config.json')),
    need,
  );
  const hasPooling = others.every(({ kind }, i) => kind !== 'Pooling' || hasConfigs[i]);
  const [hasConfig, ...hasVocabulary] = await all(['config.json', 'tokenizer.json', 'vocab.txt'].map(inTransformer), need);
  const hasOther = !hasVocabulary.includes(true) && (await needOtherVocabulary(inTransformer, need));
  let isEnough = hasPooling && hasConfig === true && (hasOther || hasVocabulary.includes(true));
  await all(
    queries.flatMap((folder) => QUERY_FILES.map((file) => path.posix.join(folder, file))),
    need,
  );
  for (const folder of [...weighted, ...queries]) isEnough = (await needWeights(directory, folder, need)) && isEnough;
  if (part === 'tokenizer') return isEnough;
  return (await needWeights(directory, transformer, need)) && isEnough;
}

/** Byte-level BPE's files, else those of a SentencePiece model. */
async function needOtherVocabulary(inTransformer: (file: string) => string, need: Need): Promise<boolean> {
  const [hasIds, hasMerges] = await all(['vocab.json', 'merges.txt'].map(inTransformer), need);
  if (hasIds === true && hasMerges === true) return true;
  const files = hasIds === true ? ['source.spm', 'target.spm', 'target_vocab.json'] : ['spiece.model'];
  return (await all(files.map(inTransformer), need))[0] === true;
}

/** Asks for several files at once and rejects only when nothing is under way any more. */
async function all(files: readonly string[], need: Need): Promise<boolean[]> {
  const outcomes = await Promise.allSettled(files.map(need));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

async function needWeights(directory: string, folder: string, need: Need): Promise<boolean> {
  for (const { file, index } of WEIGHT_FILES) {
    if (await need(path.posix.join(folder, file))) return true;
    if (await need(path.posix.join(folder, index))) return needShards(directory, folder, path.posix.join(folder, index), need);
  }
  return false;
}

async function needShards(directory: string, folder: string, index: string, need: Need): Promise<boolean> {
  const real = path.join(directory, folder);
  let isWhole = true;
  for (const shard of await readShardNames(path.join(directory, index))) {
    await resolveInside(real, shard, index, directory);
    isWhole = (await need(path.posix.join(folder, shard))) && isWhole;
  }
  return isWhole;
}

/** A module's folder as the repository's listing writes it: `./1_Pooling/` is `1_Pooling`. */
function normalize(folder: string): string {
  const normal = path.posix.normalize(folder).replace(/\/$/, '');
  return normal === '.' ? '' : normal;
}
