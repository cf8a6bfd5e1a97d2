import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { LogFile } from './log-file.js';

/** The reports that arguments ask for. */
export function reports({ outputDir }: TrainingArguments): readonly TrainerCallback[] {
  return outputDir === undefined ? [] : [new LogFile(outputDir)];
}
