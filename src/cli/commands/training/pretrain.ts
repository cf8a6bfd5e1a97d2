import { pretrain, trainWordPiece, type ModelSize, type PretrainingObjective, type PretrainOptions } from '../../../pretraining/index.js';
import type { TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { ReadingBar, VocabularyBars } from '../../terminal/corpus-bars.js';
import { interruptibly } from './interrupts.js';
import { metricsTable } from './metrics-table.js';

/** The flags of `bertha pretrain` beside the training arguments, as commander hands them over. */
export interface PretrainFlags extends Pick<
  PretrainOptions,
  | 'maxLength'
  | 'shortSeqProb'
  | 'staticMasks'
  | 'corpusFormat'
  | 'corpusDir'
  | 'generatorSize'
  | 'discriminatorWeight'
  | 'maskingRule'
  | 'mlmProbability'
  | 'wholeWordMask'
> {
  readonly output: string;
  readonly eval?: string;
  readonly model?: string;
  readonly config?: ModelSize;
  readonly tokenizer?: string;
  readonly vocabSize?: number;
  readonly objective?: PretrainingObjective;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Teaches a model from files of text, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function pretrainModel(files: readonly string[], flags: PretrainFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { output: outputDir, eval: evalCorpus, model, tokenizer, vocabSize, resume, json, ...own } = flags;
  const config = flags.config ?? (model === undefined ? 'tiny' : undefined);
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly(async (interrupts) => {
    const learnsVocabulary = model === undefined && tokenizer === undefined;
    const vocabularyBars = new VocabularyBars();
    const learned = learnsVocabulary
      ? await trainWordPiece(files, {
          vocabSize,
          signal: interrupts.signal,
          onProgress: (state) => vocabularyBars.show(state),
        }).finally(() => vocabularyBars.stop())
      : tokenizer;
    const reading = new ReadingBar();
    const result = await pretrain({
      ...args,
      ...own,
      corpus: files,
      ...(evalCorpus === undefined ? {} : { evalCorpus }),
      ...(model === undefined ? {} : { model }),
      ...(config === undefined ? {} : { config }),
      ...(learned === undefined ? {} : { tokenizer: learned }),
      ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
      outputDir,
      callbacks: [interrupts.callback],
      signal: interrupts.signal,
      onProgress: (bytes, total) => reading.show(bytes, total),
    }).finally(() => reading.stop());
    result.model.dispose();
    process.stderr.write(`bertha: ${result.examples} sequences of ${result.tokens} tokens\n`);
    await output.write(json === true ? `${JSON.stringify(result.metrics)}\n` : metricsTable(result.metrics));
    await output.finish();
  });
}
