import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { endianness, tmpdir } from 'node:os';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { unexpected } from '../../expected.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { replaceFolder, sweepFolder } from '../../training/checkpoints/complete-folder.js';
import { lockDirectory } from '../../training/checkpoints/directory-lock.js';
import { readDocuments, type ReadOptions } from '../corpus/documents.js';
import type { Corpus } from '../corpus/text-source.js';
import { drawExamples, type DrawOptions } from '../examples/draw-examples.js';
import { ExampleStore } from './example-store.js';
import { ExampleWriter, type ExampleIndex } from './example-writer.js';

/** How the examples of a corpus are made, and where they go. */
export interface PrepareOptions extends Omit<ReadOptions, 'needsOthers'> {
  readonly corpus: Corpus;
  readonly tokenizer: Tokenizer;
  readonly draw: Omit<DrawOptions, 'part'>;
  /** A folder for the examples of files, which stay there and are used again; without it, and for an iterable, a temporary file. */
  readonly folder: string | undefined;
  readonly budget: Budget;
}

const kExamplesFile = 'examples.bin';
const kIndexFile = 'corpus.json';
/** Of what files hold: another number, another format. */
const kVersion = 1;

/**
 * The examples of a corpus, on the disk. In a folder they are there whole or not at all; what a killed process left there is removed, and examples of the same
 * files (by path, size and time of change), tokenizer and options are used again. A temporary file has no name where the system allows it, so that nothing is
 * left when the process is killed.
 *
 * Errors: those of the corpus and `readDocuments`; EMPTY_INPUT where nothing makes an example; MAX_LENGTH, IO, LOCKED.
 */
export async function prepareExamples(options: PrepareOptions): Promise<ExampleStore> {
  const { corpus, folder } = options;
  if (folder === undefined || corpus.identity === undefined) return temporaryExamples(options, folder ?? tmpdir());
  const target = path.join(folder, keyOf(options, corpus.identity));
  await makeFolder(folder);
  const unlock = await lockDirectory(folder);
  try {
    await sweepFolder(folder);
    const known = await openExamples(target);
    if (known !== undefined) return known;
    await replaceFolder(target, async (temporary) => {
      const file = path.join(temporary, kExamplesFile);
      const handle = await open(file, 'wx');
      try {
        const index = await writeExamples(options, handle, file);
        const writing = await open(path.join(temporary, kIndexFile), 'wx');
        await writing.writeFile(JSON.stringify(index)).finally(() => writing.close());
      } finally {
        await handle.close();
      }
    });
    const made = await openExamples(target);
    if (made === undefined) throw unexpected('IO', `the examples that were written to ${quotePath(target)}`, 'none');
    return made;
  } finally {
    await unlock();
  }
}

async function temporaryExamples(options: PrepareOptions, folder: string): Promise<ExampleStore> {
  await makeFolder(folder);
  const file = path.join(folder, `.bertha-${randomBytes(6).toString('hex')}.examples`);
  let handle: FileHandle;
  try {
    handle = await open(file, 'wx+');
  } catch (error) {
    throw ioError(`make ${quotePath(file)}`, error);
  }
  const remove = (): Promise<void> => rm(file, { force: true }).catch(() => undefined);
  await remove();
  try {
    return new ExampleStore(handle, file, await writeExamples(options, handle, file), remove);
  } catch (error) {
    await handle.close();
    await remove();
    throw error;
  }
}

async function writeExamples(
  { corpus, tokenizer, draw, budget, ...reading }: PrepareOptions,
  handle: FileHandle,
  file: string,
): Promise<ExampleIndex> {
  const writer = new ExampleWriter(handle, file, tokenizer.vocabSize);
  const read = { ...reading, needsOthers: draw.objective === 'next-sentence' };
  let part = 0;
  for await (const documents of readDocuments(corpus, tokenizer, budget, read)) {
    const drawing = drawExamples(documents, { ...draw, part: part++ });
    let step = drawing.next();
    for (; step.done !== true; step = drawing.next()) if (budget.isSpent) await budget.yield();
    await writer.add(step.value, documents.tokens);
  }
  const index = writer.finish();
  if (index.examples === 0) throw unexpected('EMPTY_INPUT', 'text for one example or more', 'less');
  return index;
}

/** Examples that a folder has; undefined where they are missing or not whole. */
async function openExamples(folder: string): Promise<ExampleStore | undefined> {
  const file = path.join(folder, kExamplesFile);
  let handle: FileHandle | undefined;
  try {
    const index = JSON.parse(await readFile(path.join(folder, kIndexFile), 'utf8')) as ExampleIndex;
    handle = await open(file);
    if ((await stat(file)).size === index.offsets.at(-1)) return new ExampleStore(handle, file, index);
  } catch {
    // Made anew.
  }
  await handle?.close();
  return undefined;
}

/** What examples are a function of. */
function keyOf({ tokenizer, draw, format, partTokens }: PrepareOptions, corpus: string): string {
  const vocabulary = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id));
  const probe = tokenizer.encode(kProbe, { addSpecialTokens: false }).ids.join();
  const all = [kVersion, endianness(), corpus, vocabulary, probe, draw, format, partTokens];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 24);
}

/** Tells normalizers of the same vocabulary apart. */
const kProbe = 'Ünïted ŚTATES 東京 naïve\u0301 don’t—stop';

/** Removes the examples of a folder, and the folder. Errors: IO. */
export async function forgetExamples(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    throw ioError(`remove ${quotePath(folder)}`, error);
  });
}
