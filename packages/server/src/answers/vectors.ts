import type { FastifyReply } from 'fastify';
import { formatVectors } from 'bertha-encoder';

const kJson = 'application/json; charset=utf-8';

/** Sends bytes that are JSON already. */
export function sendJson(reply: FastifyReply, json: Buffer | string): FastifyReply {
  return reply.header('content-type', kJson).send(json);
}

/** Sends vectors as a list of lists of numbers. */
export function sendVectors(reply: FastifyReply, vectors: readonly Float32Array[]): FastifyReply {
  return sendJson(reply, asBuffer(formatVectors(vectors)));
}

/** The bytes of float32 numbers, little-endian as every processor that the addon is made for, in base64: the memory itself is read. */
export function toBase64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** The same memory as a Buffer. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** JSON with vectors in it: `parts` are texts, and vectors that are printed natively between them. */
export function joinJson(parts: readonly (string | Float32Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : formatVectors(part))));
}
