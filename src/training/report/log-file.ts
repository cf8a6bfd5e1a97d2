import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import type { CallbackContext, TrainerCallback } from '../callbacks/callback.js';
import type { LogEntry } from '../trainer/trainer-state.js';

/** log.jsonl: one line a log. A run that goes on writes the lines up to its checkpoint anew, so that no step is there twice. Errors: IO. */
export class LogFile implements TrainerCallback {
  readonly #file: string;

  constructor(outputDir: string) {
    this.#file = path.join(outputDir, 'log.jsonl');
  }

  async onTrainBegin({ state }: CallbackContext): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    await replaceFile(this.#file, [Buffer.from(state.logHistory.map(lineOf).join(''))]);
  }

  async onLog(_: CallbackContext, log: LogEntry): Promise<void> {
    try {
      await appendFile(this.#file, lineOf(log));
    } catch (error) {
      throw ioError(`write ${quotePath(this.#file)}`, error);
    }
  }
}

const lineOf = (log: LogEntry): string => `${JSON.stringify(log)}\n`;
