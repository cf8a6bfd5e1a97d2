// Trains the fake with a checkpoint after every update until it is killed: node --import tsx checkpoint-writer.ts FOLDER
import { readdirSync } from 'node:fs';
import { Trainer, trainingArguments } from '../../src/training/index.js';
import { fakeCollator, fakeRows, FakeTrainable } from './fake-trainable.js';

const outputDir = process.argv[2]!;

/** The arguments of the run that is killed. */
export const killedArguments = {
  maxSteps: 100_000,
  lrSchedulerType: 'constant',
  learningRate: 0.01,
  saveSteps: 1,
  saveTotalLimit: 2,
  progress: false,
} as const;

/** The rows of the run that is killed. */
export const killedRows = fakeRows(20);

if (outputDir !== undefined && process.argv[1]!.endsWith('checkpoint-writer.ts')) {
  const trainer = new Trainer({
    model: new FakeTrainable(),
    args: trainingArguments({ ...killedArguments, outputDir }),
    trainDataset: killedRows,
    dataCollator: fakeCollator,
    callbacks: [{ onSave: () => void process.stdout.write('saved\n') }],
  });
  report(trainer.train({ resumeFromCheckpoint: readdirSync(outputDir).some((name) => /^\.?checkpoint-/.test(name)) }));
}

function report(promise: Promise<unknown>): void {
  promise.catch((error: unknown) => {
    process.stderr.write(String(error));
    process.exitCode = 1;
  });
}
