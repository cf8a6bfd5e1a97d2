import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { trainWordPiece } from '../../src/pretraining/index.js';
import { openPretraining, type OpenPretraining } from '../../src/pretraining/open-pretraining.js';
import { createModel, trainingArguments } from '../../src/training/index.js';

/** What the gates of pre-training take. */
export interface PretrainingGateOptions {
  readonly threads?: number;
  /** A Python with transformers, which computes its side anew. */
  readonly python?: string;
  /** A folder for text, batches and models, which stay there. */
  readonly keep?: string;
}

const here = import.meta.dirname;

/** arguments.json: model and training of both sides. */
export const settings = JSON.parse(readFileSync(join(here, 'arguments.json'), 'utf8')) as Readonly<Record<string, number>>;

const sourcesIn = (shared: string): string[] =>
  ['enwiki-shortened.xml.bz2', 'wikitext-2.valid.txt', 'wikitext-2.test.txt'].map((name) => join(shared, 'text', name));

/** A file of the shared text that is not there. */
export function missingText(shared: string): string | undefined {
  return sourcesIn(shared).find((file) => !existsSync(file));
}

/** Writes train.txt and held-out.txt into the folder. */
export function writeText(shared: string, folder: string, python: string): void {
  mkdirSync(folder, { recursive: true });
  const [corpus, held] = [join(folder, 'train.txt'), join(folder, 'held-out.txt')];
  execFileSync(python, [join(here, 'wikipedia_text.py'), corpus, '--held-out', held, ...sourcesIn(shared)]);
}

/** Learns the vocabulary of a folder's text, makes a model, and opens its pre-training. `steps`: so many and no more. */
export async function openGate(
  folder: string,
  options: { readonly threads: number | undefined; readonly steps?: number; readonly onLoss: (loss: number) => void },
): Promise<OpenPretraining> {
  const tokenizer = join(folder, 'tokenizer');
  const corpus = join(folder, 'train.txt');
  await (await trainWordPiece(corpus, { vocabSize: settings['vocabSize'] })).save(tokenizer);
  rmSync(join(folder, 'new'), { recursive: true, force: true });
  const { hiddenSize: hidden_size, layers: num_hidden_layers, heads: num_attention_heads, seed, maxLength } = settings;
  const noDropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const config = { hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: 4 * hidden_size!, ...noDropout };
  await createModel(join(folder, 'new'), { config, tokenizer, seed });
  const { threads, steps, onLoss } = options;
  const args = trainingArguments({
    numTrainEpochs: settings['epochs']!,
    perDeviceTrainBatchSize: settings['batchSize']!,
    perDeviceEvalBatchSize: settings['batchSize']!,
    learningRate: settings['learningRate']!,
    weightDecay: settings['weightDecay']!,
    warmupSteps: settings['warmup']!,
    seed: seed!,
    loggingSteps: 1,
    saveStrategy: 'no',
    ...(steps === undefined ? {} : { maxSteps: steps }),
    ...(threads === undefined ? {} : { threads }),
  });
  const callbacks = [{ onLog: (_: unknown, { loss }: Readonly<Record<string, number>>) => void (loss !== undefined && onLoss(loss)) }];
  return openPretraining(join(folder, 'new'), { corpus, evalCorpus: join(folder, 'held-out.txt'), maxLength: maxLength!, callbacks }, args);
}
