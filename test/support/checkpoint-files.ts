import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { openModelDirectory, type ModelDirectory } from '../../src/models/model-directory.js';
import { BerthaError } from '../../src/errors.js';

/** Absolute path inside test/golden. */
export function golden(...parts: readonly string[]): string {
  return path.join(fileURLToPath(new URL('../golden/', import.meta.url)), ...parts);
}

/** The code of the BerthaError that `action` throws, undefined if it throws nothing; any other error is passed on. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof BerthaError) return error.code;
    throw error;
  }
}

/** The BerthaError that `action` rejects with; anything else, success included, throws. */
export async function rejection(action: () => Promise<unknown>): Promise<BerthaError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof BerthaError) return error;
    throw error;
  }
  throw new Error('Expected a rejection but received success.');
}

const folders: string[] = [];

/** A new folder, removed when the process ends; with `source`, a copy of that folder. */
export function temporaryFolder(source?: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bertha-test-'));
  if (folders.push(folder) === 1) {
    process.on('exit', () => folders.forEach((each) => rmSync(each, { recursive: true, force: true })));
  }
  if (source !== undefined) cpSync(source, folder, { recursive: true });
  return folder;
}

/** Rewrites one JSON file in place: `undefined` values remove a key. */
export function editJson(file: string, changes: Readonly<Record<string, unknown>>): void {
  const value = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...value, ...changes }));
}

/** Opens a model directory for the duration of `use`. */
export async function withModel<T>(directory: string, use: (model: ModelDirectory) => T | Promise<T>): Promise<T> {
  const model = await openModelDirectory(directory);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** A copy of test/golden/tiny/<name> to be changed. */
export const tinyCopy = (name: string): string => temporaryFolder(golden('tiny', name));

/** A copy of test/golden/sentence/<name> to be changed. */
export const sentenceCopy = (name: string): string => temporaryFolder(golden('sentence', name));

/** `directory` must open without sentence vectors, for a reason with this code and a message like `text`. */
export function refusesSentences(code: string, directory: string, text = /./): Promise<void> {
  return withModel(directory, ({ sentenceError, sentenceTransformers }) => {
    assert.is(sentenceError?.code, code, sentenceError?.message);
    assert.match(sentenceError!.message, text);
    assert.is(sentenceTransformers, undefined);
  });
}

/** Opening `directory` must fail with this code and a message like `text`, and leave no file open. */
export async function rejectsModel(code: string, directory: string, text = /./): Promise<void> {
  const countOpen = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
  const before = countOpen();
  const error = await rejection(() => openModelDirectory(directory));
  assert.is(error.code, code, error.message);
  assert.match(error.message, text);
  const after = countOpen();
  // One of the process's own may be closed meanwhile.
  assert.ok(after <= before, `${after} open files, ${before} before`);
}
