import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
