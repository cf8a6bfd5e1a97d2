import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { open, realpath, rename, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { errorMessage } from '../realms.js';

/** The reader of a pipe has gone away: the rest of the output is of no use, and nothing has gone wrong. */
export class BrokenPipe extends Error {}

/** Where a command's result goes. Nothing shows up under the asked-for name before `finish`; a failed command leaves nothing there. */
export interface Output {
  write(chunk: string | Uint8Array): Promise<void>;
  /** Overwrites what was written before, at a byte position; only where `openOutput` was asked for `patchable`. */
  patch(chunk: Uint8Array, position: number): Promise<void>;
  finish(): Promise<void>;
}

const temporaries = new Set<string>();

/** Removes what unfinished outputs have left; for the end of the process. */
export function removeTemporaries(): void {
  for (const file of temporaries) {
    try {
      unlinkSync(file);
    } catch {
      // It was never made, or is gone already.
    }
  }
  temporaries.clear();
}

/**
 * Opens standard output, or the file `target`. A regular file is written under another name beside it and renamed when it is whole; a
 * device or pipe is written directly, or, if the output must be `patchable`, copied from a temporary file at the end.
 *
 * Errors: IO, here and in every method; BrokenPipe.
 */
export async function openOutput(target: string | undefined, { patchable }: { readonly patchable: boolean }): Promise<Output> {
  if (target === undefined) return patchable ? CopiedOutput.open(new StreamOutput()) : new StreamOutput();
  const regular = await regularTarget(target);
  if (regular !== undefined) return RenamedOutput.open(target, regular);
  const device = await DeviceOutput.open(target);
  return patchable ? CopiedOutput.open(device) : device;
}

class StreamOutput implements Output {
  write(chunk: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(chunk, (error) => (error ? reject(outputError('standard output', error)) : resolve()));
    });
  }

  patch(): Promise<void> {
    throw new Error('standard output cannot be patched');
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

abstract class FileOutput implements Output {
  constructor(
    protected readonly name: string,
    protected readonly handle: FileHandle,
  ) {}

  async write(chunk: string | Uint8Array): Promise<void> {
    await this.guarded(() => this.handle.writeFile(chunk));
  }

  async patch(chunk: Uint8Array, position: number): Promise<void> {
    await this.guarded(() => this.handle.write(chunk, 0, chunk.byteLength, position));
  }

  abstract finish(): Promise<void>;

  protected async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw outputError(this.name, error);
    }
  }
}

class DeviceOutput extends FileOutput {
  static async open(target: string): Promise<DeviceOutput> {
    return new DeviceOutput(target, await openFile(target, target, 'w'));
  }

  finish(): Promise<void> {
    return this.guarded(() => this.handle.close());
  }
}

class RenamedOutput extends FileOutput {
  readonly #temporary: string;
  readonly #target: string;

  private constructor(name: string, handle: FileHandle, temporary: string, target: string) {
    super(name, handle);
    this.#temporary = temporary;
    this.#target = target;
  }

  static async open(name: string, target: string): Promise<RenamedOutput> {
    const temporary = temporaryName(target);
    return new RenamedOutput(name, await openFile(name, temporary, 'new'), temporary, target);
  }

  async finish(): Promise<void> {
    await this.guarded(async () => {
      await this.handle.sync();
      await this.handle.close();
      await rename(this.#temporary, this.#target);
    });
    temporaries.delete(this.#temporary);
  }
}

class CopiedOutput extends FileOutput {
  readonly #destination: Output;

  private constructor(name: string, handle: FileHandle, destination: Output) {
    super(name, handle);
    this.#destination = destination;
  }

  static async open(destination: Output): Promise<CopiedOutput> {
    const temporary = temporaryName(path.join(tmpdir(), 'bertha'));
    return new CopiedOutput(temporary, await openFile(temporary, temporary, 'new'), destination);
  }

  async finish(): Promise<void> {
    const chunk = new Uint8Array(1 << 20);
    for (let position = 0; ;) {
      const { bytesRead } = await this.guarded(() => this.handle.read(chunk, 0, chunk.byteLength, position));
      if (bytesRead === 0) break;
      await this.#destination.write(chunk.slice(0, bytesRead));
      position += bytesRead;
    }
    await this.guarded(() => this.handle.close());
    await this.#destination.finish();
  }
}

/** Opens a file for writing; a new one, which can be read as well, is removed at the end of the process unless it was renamed. */
async function openFile(name: string, file: string, flags: 'w' | 'new'): Promise<FileHandle> {
  try {
    if (flags === 'w') return await open(file, flags);
    // At once: a signal that came between the making and the noting would leave the file behind.
    closeSync(openSync(file, 'wx'));
    temporaries.add(file);
    return await open(file, 'r+');
  } catch (error) {
    throw outputError(name, error);
  }
}

/** The regular file that `target` names or would name, links followed; undefined for a device, a pipe and the like. */
async function regularTarget(target: string): Promise<string | undefined> {
  try {
    const real = await realpath(target);
    const stats = await stat(real);
    if (stats.isDirectory()) throw unexpected('IO', 'a file for --output', `the directory ${JSON.stringify(target)}`);
    return stats.isFile() ? real : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return target;
    throw outputError(target, error);
  }
}

function temporaryName(target: string): string {
  return `${target}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

function outputError(name: string, error: unknown): Error {
  if (error instanceof BerthaError) return error;
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return new BrokenPipe();
  return unexpected('IO', `to write ${name}`, errorMessage(error), { cause: error });
}
