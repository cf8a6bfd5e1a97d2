import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';
import type { CallbackContext, TrainerCallback } from '../callbacks/callback.js';
import type { LogEntry } from '../trainer/trainer-state.js';

// TensorBoard's event files: records of (length, masked CRC-32C of it, bytes, masked CRC-32C of them) that hold Event messages of
// tensorboard/compat/proto/event.proto: wall_time 1 double, step 2 int64, file_version 3 string, summary 5 { value 1 { tag 1, simple_value 2 } }.

/** Writes `events.out.tfevents.…` with every number of every log. Errors: IO. */
export class TensorBoardFile implements TrainerCallback {
  readonly #directory: string;
  #file = '';

  constructor(outputDir: string) {
    this.#directory = outputDir;
  }

  async onTrainBegin(): Promise<void> {
    const seconds = Date.now() / 1000;
    this.#file = path.join(this.#directory, `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}`);
    await this.#append(record(Buffer.concat([wallTime(seconds), field(3, Buffer.from('brain.Event:2'))])));
  }

  async onLog(_: CallbackContext, log: LogEntry): Promise<void> {
    await this.#append(record(summaryEvent(Date.now() / 1000, log)));
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      await appendFile(this.#file, bytes);
    } catch (error) {
      throw ioError(`write ${quotePath(this.#file)}`, error);
    }
  }
}

/** An Event with a value for each number of a log, under transformers' tags: `train/loss`, `eval/accuracy`. */
function summaryEvent(seconds: number, { step, ...values }: LogEntry): Buffer {
  const summary = Object.entries(values).map(([name, value]) => {
    const simple = Buffer.alloc(5);
    simple[0] = (2 << 3) | 5;
    simple.writeFloatLE(value, 1);
    return field(1, Buffer.concat([field(1, Buffer.from(tagOf(name))), simple]));
  });
  return Buffer.concat([wallTime(seconds), Buffer.from([2 << 3]), varint(step), field(5, Buffer.concat(summary))]);
}

/** TensorBoard's name of a logged number, as transformers has it: `train/loss`, `eval/accuracy`. */
export function tagOf(name: string): string {
  const [, prefix, rest] = /^(eval|test)_(.+)$/.exec(name) ?? [];
  return prefix === undefined ? `train/${name}` : `${prefix}/${rest}`;
}

function wallTime(seconds: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (1 << 3) | 1;
  bytes.writeDoubleLE(seconds, 1);
  return bytes;
}

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.byteLength), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.byteLength), 0);
  head.writeUInt32LE(maskedCrc(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(maskedCrc(data), 0);
  return Buffer.concat([head, data, tail]);
}

/** TensorFlow's sum of a record. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), of which zlib has none. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ castagnoli[(crc ^ byte) & 255]!;
  return (crc ^ 0xffffffff) >>> 0;
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
