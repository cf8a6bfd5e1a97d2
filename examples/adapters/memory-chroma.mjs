// The part of Chroma's HTTP interface (v2) that chroma.mjs needs, over a Map: a stand-in where no Chroma server runs.
import { createServer } from 'node:http';

/** Starts it on a free port of this machine; `close` ends it. */
export async function startMemoryChroma() {
  const collections = new Map();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    const answer = handle(
      collections,
      request.method,
      new URL(request.url, 'http://localhost').pathname,
      text === '' ? {} : JSON.parse(text),
    );
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'NotFoundError', message: 'no such collection' }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, close: () => server.close() };
}

function handle(collections, method, path, body) {
  const [, name, action] = /\/collections(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? [];
  if (path.endsWith('/auth/identity')) return { user_id: '', tenant: 'default_tenant', databases: ['default_database'] };
  if (path.endsWith('/pre-flight-checks')) return { max_batch_size: 1000, supports_base64_encoding: false };
  if (name === undefined && method === 'POST') return create(collections, body);
  const collection = [...collections.values()].find((each) => each.id === name || each.name === name);
  if (collection === undefined) return undefined;
  if (action === 'add') return add(collection, body);
  if (action === 'query') return query(collection, body);
  if (action === 'search') return search(collection, body);
  return collection.facts;
}

function create(collections, { name, configuration, schema = null, metadata = null }) {
  const id = `00000000-0000-4000-8000-${String(collections.size).padStart(12, '0')}`;
  const facts = {
    id,
    name,
    metadata,
    configuration_json: configuration,
    schema,
    tenant: 'default_tenant',
    database: 'default_database',
    dimension: null,
  };
  const collection = collections.get(name) ?? { id, name, facts, rows: [] };
  collections.set(name, collection);
  return collection.facts;
}

function add({ rows }, { ids, embeddings, documents, metadatas }) {
  if (!embeddings.every((vector) => Array.isArray(vector))) throw new TypeError('Expected embeddings as lists of numbers.');
  ids.forEach((id, i) => rows.push({ id, embedding: embeddings[i], document: documents[i], metadata: metadatas?.[i] ?? null }));
  return {};
}

/** The nearest by the cosine distance, for each of the queries' vectors. */
function query({ rows }, { query_embeddings: queries, n_results: count }) {
  const length = (a) => Math.hypot(...a);
  const distance = (a, b) => 1 - a.reduce((sum, value, i) => sum + value * b[i], 0) / (length(a) * length(b));
  const nearest = queries.map((vector) =>
    rows
      .map((row) => ({ ...row, distance: distance(vector, row.embedding) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, count),
  );
  const column = (key) => nearest.map((list) => list.map((row) => row[key]));
  return {
    ids: column('id'),
    documents: column('document'),
    distances: column('distance'),
    metadatas: null,
    embeddings: null,
    uris: null,
    include: ['documents', 'distances'],
  };
}

/** The best by the product of sparse vectors, which lie in the rows' metadata: of a Search with Knn, its documents and scores. */
function search({ rows }, { searches }) {
  const lists = searches.map(({ rank, limit }) => {
    const { query, key, limit: most } = rank.$knn;
    const weights = new Map(query.indices.map((index, i) => [index, query.values[i]]));
    const scoreOf = ({ indices, values }) => indices.reduce((sum, index, i) => sum + (weights.get(index) ?? 0) * values[i], 0);
    return rows
      .map((row) => ({ ...row, score: scoreOf(row.metadata[key]) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, Math.min(most, limit?.limit ?? most));
  });
  const column = (key) => lists.map((list) => list.map((row) => row[key]));
  return { ids: column('id'), documents: column('document'), scores: column('score'), embeddings: [], metadatas: [], select: [] };
}
