import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import { exchange } from './support/raw.js';
import { golden, serve, serverSuite, tiny, toFloats, type Serving } from './support/serving.js';

const t = serverSuite('server: documents and streams');
let server: Serving;
t.before(async () => void (server = await serve({ models: tiny('embedder'), maxBodyBytes: 500 })));
t.after(() => server.close());

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: { readonly properties?: object } }>> };
  readonly responses: Readonly<Record<string, unknown>>;
  readonly operationId: string;
}

/** Paths of text-embeddings-inference 1.9.3's own document that clients post to, and the fields of their bodies. */
const teiPaths: Readonly<Record<string, readonly string[]>> = {
  '/embed': ['inputs', 'truncate', 'truncation_direction', 'prompt_name', 'normalize', 'dimensions'],
  '/embed_all': ['inputs', 'truncate', 'truncation_direction', 'prompt_name'],
  '/embed_sparse': ['inputs', 'truncate', 'truncation_direction', 'prompt_name'],
  '/predict': ['inputs', 'truncate', 'truncation_direction', 'raw_scores'],
  '/rerank': ['query', 'texts', 'truncate', 'truncation_direction', 'raw_scores', 'return_text'],
  '/similarity': ['inputs', 'parameters'],
  '/tokenize': ['inputs', 'add_special_tokens', 'prompt_name'],
  '/decode': ['ids', 'skip_special_tokens'],
  '/v1/embeddings': ['input', 'model', 'encoding_format', 'dimensions', 'user'],
  '/vertex': ['instances'],
};

t('the document has every path and field of text-embeddings-inference, and an operation for every route', async () => {
  const { json } = await server.get('/openapi.json');
  const document = json as { openapi: string; paths: Record<string, Record<string, Operation>> };
  assert.is(document.openapi, '3.1.0');
  assert.equal((await server.get('/api-doc/openapi.json')).json, document);
  for (const [path, fields] of Object.entries(teiPaths)) {
    const properties = Object.keys(document.paths[path]!['post']!.requestBody!.content['application/json']!.schema.properties!);
    assert.equal(
      fields.filter((field) => !properties.includes(field)),
      [],
      path,
    );
  }
  for (const path of ['/info', '/health', '/ping', '/', '/metrics', '/livez', '/readyz', '/v1/models', '/v1/models/{name}']) {
    assert.ok(document.paths[path]!['get'], path);
  }
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  assert.ok(operations.length > 35, `${operations.length} operations`);
  assert.is(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { responses } of operations) assert.ok('200' in responses && 'default' in responses);
});

t('the page of routes has no script and asks nobody else', async () => {
  const { status, text, headers } = await server.get('/docs');
  assert.equal([status, headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  assert.match(headers.get('content-security-policy')!, "default-src 'none'");
  assert.not.match(text, /<script|https?:\/\//);
  assert.match(text, '/v1/embeddings');
});

t('/bulk/embed answers a stream of lines in order, bad lines with their error, longer than any body may be', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const texts = Array.from({ length: 60 }, (_, i) => `the guitar number ${i}`);
  const lines = texts.map((text, i) => (i % 2 === 0 ? JSON.stringify(text) : JSON.stringify({ text, id: `id-${i}` })));
  lines.splice(3, 0, '{bad', '{"text": 5}', '');
  const response = await fetch(`${server.address}/bulk/embed?dimensions=4`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${lines.join('\n')}\n"last"`,
  });
  assert.equal([response.status, response.headers.get('content-type')], [200, 'application/x-ndjson']);
  const rows = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    rows.map(({ index }) => index),
    Array.from({ length: texts.length + 3 }, (_, i) => i),
  );
  assert.equal(
    [rows[3]!['error'], rows[4]!['error'], rows[5]!['id']].map((each) => typeof each),
    ['string', 'string', 'string'],
  );
  const found = rows.filter((row) => row['embedding'] !== undefined).map((row) => toFloats(row['embedding']));
  assert.equal(
    found,
    (await embedder.embed([...texts, 'last'], { dimensions: 4 })).map(({ vector }) => vector),
  );
  embedder.dispose();
});

t('a stream whose client goes away ends, and other bodies are refused', async () => {
  const head = 'POST /bulk/embed HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';
  const text = await exchange(server.address, `${head}8\r\n"hello"\n\r\n`, 600);
  assert.match(text, /^HTTP\/1\.1 200 OK/);
  assert.is((await server.post('/bulk/embed', { inputs: 'a' })).status, 415);
  assert.is((await fetch(`${server.address}/bulk/embed`, { method: 'POST' })).status, 400);
  assert.is((await server.post('/embed', { inputs: 'hello' })).status, 200);
});

t.run();
