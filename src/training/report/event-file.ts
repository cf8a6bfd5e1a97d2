import { maskedCrc } from './tensorboard.js';

/** A number of a log or of an event file. */
export interface LoggedNumber {
  readonly step: number;
  readonly tag: string;
  readonly value: number;
}

/** The numbers of a log or of an event file, and why reading ended before its end. */
export interface LoggedNumbers {
  readonly scalars: readonly LoggedNumber[];
  readonly problem?: string;
}

/**
 * The numbers of a TensorBoard event file: records of (length, masked CRC-32C, bytes, masked CRC-32C) that hold Event messages of
 * tensorboard/compat/proto/event.proto: step 2, summary 5 { value 1 { tag 1, simple_value 2, tensor 8 { dtype 1, tensor_content 4, float_val 5 } } }.
 */
export function readEventFile(bytes: Buffer): LoggedNumbers {
  const scalars: LoggedNumber[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 12 + (at + 12 <= bytes.length ? Number(bytes.readBigUInt64LE(at)) : Infinity) + 4;
    if (!(end <= bytes.length)) return { scalars, problem: `the file is cut at byte ${at}` };
    const data = bytes.subarray(at + 12, end - 4);
    const isWhole = maskedCrc(bytes.subarray(at, at + 8)) === bytes.readUInt32LE(at + 8) && maskedCrc(data) === bytes.readUInt32LE(end - 4);
    const found = isWhole ? scalarsOf(data) : undefined;
    if (found === undefined) return { scalars, problem: `the record at byte ${at} is damaged` };
    scalars.push(...found);
    at = end;
  }
  return { scalars };
}

interface Field {
  readonly number: number;
  /** Of length-delimited and fixed fields. */
  readonly bytes: Buffer;
  /** Of varints. */
  readonly whole: number;
}

/** The numbers of an Event; undefined for bytes that are none. */
function scalarsOf(event: Buffer): LoggedNumber[] | undefined {
  const fields = fieldsOf(event);
  if (fields === undefined) return undefined;
  const step = fields.find(({ number }) => number === 2)?.whole ?? 0;
  const scalars: LoggedNumber[] = [];
  for (const summary of fields.filter(({ number }) => number === 5)) {
    for (const { number, bytes } of fieldsOf(summary.bytes) ?? []) {
      const own = number === 1 ? fieldsOf(bytes) : undefined;
      const tag = own?.find((each) => each.number === 1)?.bytes.toString('utf8');
      const value = numberOf(own ?? []);
      if (tag !== undefined && value !== undefined) scalars.push({ step, tag, value });
    }
  }
  return scalars;
}

/** The number of a value: float32, by itself or as a tensor of one. */
function numberOf(value: readonly Field[]): number | undefined {
  const simple = value.find(({ number }) => number === 2);
  if (simple?.bytes.length === 4) return simple.bytes.readFloatLE(0);
  const tensor = value.find(({ number }) => number === 8);
  const parts = tensor === undefined ? [] : (fieldsOf(tensor.bytes) ?? []);
  const isFloat = parts.some(({ number, whole }) => number === 1 && whole === 1);
  const content = parts.find(({ number }) => number === 4 || number === 5);
  return isFloat && content?.bytes.length === 4 ? content.bytes.readFloatLE(0) : undefined;
}

/** The fields of a protobuf message; undefined for bytes that are none. */
function fieldsOf(message: Buffer): Field[] | undefined {
  const none = message.subarray(0, 0);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) return NaN;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) {
      fields.push({ number, bytes: none, whole: varint() });
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : NaN;
    if (!(at + length <= message.length)) return undefined;
    fields.push({ number, bytes: message.subarray(at, at + length), whole: 0 });
    at += length;
  }
  return fields;
}
