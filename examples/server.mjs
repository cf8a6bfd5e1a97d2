// Vectors over HTTP: POST /embed {"texts": ["…"]}. Work stops when the client leaves, or when its time is over before it begins.
//   node examples/server.mjs 3000
import Fastify from 'fastify';
import { BerthaError, loadEmbedder, stats } from 'bertha-encoder';

const embedder = await loadEmbedder();
const app = Fastify({ bodyLimit: 2 ** 20 });

app.post('/embed', async (request, reply) => {
  const { texts, bulk = false, deadlineMs = 2000 } = request.body ?? {};
  const client = new AbortController();
  reply.raw.once('close', () => client.abort());
  try {
    const priority = bulk ? 'bulk' : 'interactive';
    const embeddings = await embedder.embed([texts].flat(), { signal: client.signal, deadlineMs, priority });
    return embeddings.map(({ vector }) => Array.from(vector));
  } catch (error) {
    if (error instanceof BerthaError) return reply.code(error.httpStatus).send({ error: error.code });
    throw error;
  }
});

app.get('/stats', async () => stats());
let isClosing = false;
// A connection that is kept alive would keep the server alive with it, for 72 s.
app.addHook('onSend', async (_request, reply) => void (isClosing && reply.header('connection', 'close')));
app.addHook('onClose', () => embedder[Symbol.asyncDispose]());
process.once('SIGTERM', () => {
  isClosing = true;
  void app.close();
});
console.log(await app.listen({ port: Number(process.argv[2] ?? 3000) }));
