import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { LogFile } from './log-file.js';
import { TrainingPage } from './page.js';
import { ProgressBar } from './progress-bar.js';
import { TensorBoardFile } from './tensorboard.js';

/** The reports that arguments ask for: files below outputDir, and a bar where a person may be watching. */
export function reports({ outputDir, reportTo, progress }: TrainingArguments): readonly TrainerCallback[] {
  return [
    ...(outputDir === undefined ? [] : [new LogFile(outputDir), new TrainingPage(outputDir)]),
    ...(outputDir !== undefined && reportTo.includes('tensorboard') ? [new TensorBoardFile(outputDir)] : []),
    ...(progress && process.stderr.isTTY ? [new ProgressBar()] : []),
  ];
}
