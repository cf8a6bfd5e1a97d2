// A Fastify handler over transformers.js, as people write it: argv[2] is { port, precision, threads }. One text a request, one request after
// the other, as its session computes them.
import { requireRival } from '../rivals.js';
import { loadExtractor } from '../engines/transformers.js';
import { miniLm } from '../models.js';

interface Request {
  readonly body: { readonly input: string | readonly string[] };
}
interface Server {
  post(path: string, handler: (request: Request) => Promise<unknown>): void;
  get(path: string, handler: () => Promise<unknown>): void;
  listen(options: object): Promise<string>;
}

const { port, precision, threads } = JSON.parse(process.argv[2]!) as { port: number; precision: 'fp32' | 'int8'; threads: number };
const extractor = await loadExtractor(miniLm(undefined), threads, precision);
const fastify = requireRival('fastify') as () => Server;
const server = fastify();
server.get('/health', async () => ({ ok: true }));
server.post('/v1/embeddings', async ({ body }) => {
  const texts = typeof body.input === 'string' ? [body.input] : body.input;
  const output = await extractor(texts, { pooling: 'mean', normalize: true });
  const [rows, width] = output.dims as [number, number];
  const row = (index: number): number[] => Array.from(output.data.subarray(index * width, (index + 1) * width));
  return { object: 'list', data: Array.from({ length: rows }, (_, index) => ({ object: 'embedding', index, embedding: row(index) })) };
});
await server.listen({ port, host: '127.0.0.1' });
