// Servers for tests, on free ports of this machine, over the small models of test/golden.
import { fileURLToPath } from 'node:url';
import type { Test } from 'uvu';
import { createServer, type BerthaServer, type ServerOptions } from '../../../packages/server/src/index.js';
import { suite } from '../../support/suite.js';

export const golden = (name: string): string => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));

/** A model of each kind, by the names that tests ask for. */
export const tinyModels = [
  { name: 'embedder', model: golden('sentence/normalize') },
  { name: 'reranker', model: golden('tiny/bert-cross-encoder') },
  { name: 'classifier', model: golden('tiny/bert-sequence-classification') },
  { name: 'nli', model: golden('tiny/bert-nli') },
  { name: 'entities', model: golden('tiny/bert-token-classification') },
  { name: 'answers', model: golden('tiny/bert-question-answering') },
  { name: 'masks', model: golden('tiny/bert-mlm') },
  { name: 'next', model: golden('tiny/bert-nsp') },
  { name: 'choices', model: golden('tiny/bert-multiple-choice') },
  { name: 'replaced', model: golden('tiny/electra-discriminator') },
] as const;

export type TinyName = (typeof tinyModels)[number]['name'];

/** The tiny models of some names. */
export const tiny = (...names: readonly TinyName[]) => tinyModels.filter(({ name }) => names.includes(name));

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** A server that listens, with its models loaded, and how to ask it. */
export interface Serving extends BerthaServer {
  readonly address: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** A string is sent as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** Servers that `serve` made. */
const made = new Set<BerthaServer>();

/** A suite that closes every server that `serve` made for it, also where an assertion failed before the test could: an open one would keep the process. */
export function serverSuite(name: string): Test {
  const t = suite(name);
  t.after(async () => void (await Promise.all([...made].map((server) => server.close()))));
  return t;
}

/** Starts a server on a free port and waits for its models. */
export async function serve(options: ServerOptions): Promise<Serving> {
  const server = createServer({ port: 0, graceMs: 0, drainMs: 5000, ...options });
  made.add(server);
  const address = await server.listen();
  await server.ready;
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(address + path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined };
  };
  return Object.assign(server, {
    address,
    get: (path: string, headers: Record<string, string> = {}) => ask(path, { headers }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      ask(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  });
}

/** Float32 numbers of base64, little-endian. */
export function fromBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** Numbers of JSON as float32: what was printed reads back to the same bits. */
export const toFloats = (numbers: unknown): Float32Array => Float32Array.from(numbers as number[]);
