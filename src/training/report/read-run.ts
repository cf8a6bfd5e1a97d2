import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError, openRegularFile, readFully } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { readEventFile, type LoggedNumber, type LoggedNumbers } from './event-file.js';
import { tagOf } from './tensorboard.js';

const isEventFile = (name: string): boolean => name.startsWith('events.out.tfevents.');

/** The files of a run: itself, or of a folder its log.jsonl, or without one its event files. Errors: IO, INVALID_ARG. */
export async function filesOfRun(run: string): Promise<string[]> {
  try {
    if (!(await stat(run)).isDirectory()) return [run];
    const names = (await readdir(run)).sort();
    const found = names.includes('log.jsonl') ? ['log.jsonl'] : names.filter(isEventFile);
    if (found.length > 0) return found.map((name) => path.join(run, name));
  } catch (error) {
    throw ioError(`read ${quotePath(run)}`, error);
  }
  throw unexpected('INVALID_ARG', 'a folder with log.jsonl or event files for trainingCurves', quotePath(run));
}

/** The numbers of a file of a run. Errors: IO. */
export async function readLoggedNumbers(file: string): Promise<LoggedNumbers> {
  const { handle, size } = await openRegularFile(file);
  const bytes = Buffer.allocUnsafe(size);
  try {
    await readFully(handle, bytes, 0, file);
  } finally {
    await handle.close();
  }
  return isEventFile(path.basename(file)) ? readEventFile(bytes) : readLog(bytes.toString('utf8'));
}

function readLog(text: string): LoggedNumbers {
  const scalars: LoggedNumber[] = [];
  const lines = text.split('\n').filter((line) => line !== '');
  for (const [i, line] of lines.entries()) {
    const entry = parsed(line);
    const { step, ...values } = entry ?? {};
    if (typeof step !== 'number') return { scalars, problem: `line ${i + 1} is no log with a step` };
    for (const [name, value] of Object.entries(values)) {
      // JSON has no NaN: it is written as null.
      if (typeof value === 'number' || value === null) scalars.push({ step, tag: tagOf(name), value: value ?? NaN });
    }
  }
  return { scalars };
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
