import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { serve, serverSuite, tiny, type Serving, type TinyName } from './support/serving.js';

// What real clients send, replayed: each answer has the keys and types that the client accepted when its request was captured.
interface Exchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: { readonly status: number; readonly body: unknown };
}
interface Client {
  readonly client: string;
  readonly calls: readonly {
    readonly call: string;
    readonly exchanges: readonly Exchange[];
    readonly client_error_on_that_response?: string;
  }[];
}

const folder = new URL('clients/', import.meta.url);
const clients = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Client);

const t = serverSuite('server: clients');
const kinds = ['reranker', 'classifier', 'entities', 'answers', 'masks', 'nli'] as const satisfies readonly TinyName[];
type Kind = (typeof kinds)[number] | 'bundled';
const servers = new Map<Kind, Serving>();

t.before(async () => {
  servers.set('bundled', await serve({ models: [{}] }));
  for (const kind of kinds) servers.set(kind, await serve({ models: tiny(kind) }));
});
t.after(async () => void (await Promise.all([...servers.values()].map((server) => server.close()))));

/** The model that a client of that call talks to. */
function kindOf({ path, body }: Exchange['request']): Kind {
  const text = JSON.stringify(body ?? {});
  if (path.endsWith('rerank')) return 'reranker';
  if (text.includes('candidate_labels')) return 'nli';
  if (text.includes('[MASK]')) return 'masks';
  if (text.includes('"question"')) return 'answers';
  if (text.includes('aggregation_strategy') || path.includes('token-classification')) return 'entities';
  if (text.includes('function_to_apply') || path.includes('text-classification') || path === '/predict') return 'classifier';
  return 'bundled';
}

/** The status of an answer: what no model here has is refused, 1024 numbers (LangChain's Jina class always wants them) and the prompt "query". */
function statusOf({ body }: Exchange['request'], status: number): number {
  const { dimensions, prompt_name: prompt } = (body ?? {}) as { dimensions?: number; prompt_name?: string };
  return dimensions === 1024 || prompt !== undefined ? 422 : status;
}

/**
 * What a client reads of an answer: the documents of a ranking only where it asked for them; of zero-shot a list, which is what every client takes (Python's
 * refuses the pipeline's object, which one capture answered with).
 */
function readBy({ body }: Exchange['request'], answer: unknown): unknown {
  if (typeof answer === 'object' && answer !== null && 'sequence' in answer) return [{ label: '', score: 0 }];
  const { documents, return_documents: asked } = (body ?? {}) as { documents?: unknown; return_documents?: boolean };
  if (documents === undefined || asked === true) return answer;
  return JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'document' ? undefined : value)));
}

/** Where `actual` lacks a key that `expected` has, or has another type there; undefined where it fits. */
function misfit(actual: unknown, expected: unknown, place = 'body'): string | undefined {
  if (expected === null || expected === undefined) return undefined;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${place}: no list`;
    const sample: unknown = expected[0];
    return actual.map((each, i) => misfit(each, sample, `${place}[${i}]`)).find((each) => each !== undefined);
  }
  if (typeof actual !== typeof expected) return `${place}: ${typeof actual} instead of ${typeof expected}`;
  if (typeof expected !== 'object') return undefined;
  return Object.entries(expected)
    .map(([key, value]) => misfit((actual as Record<string, unknown> | null)?.[key], value, `${place}.${key}`))
    .find((each) => each !== undefined);
}

t('there are 31 clients or more', () => assert.ok(clients.length >= 31, String(clients.length)));

for (const { client, calls } of clients) {
  t(`${client}: every request is answered as the client reads it`, async () => {
    for (const { call, exchanges, client_error_on_that_response: refused } of calls) {
      for (const { request, response } of exchanges) {
        const server = servers.get(kindOf(request))!;
        const { method, path, headers, body } = request;
        const { status, text, json } =
          method === 'GET' ? await server.get(path, headers) : await server.post(path, JSON.stringify(body), headers);
        const where = `${call}: ${method} ${path} ${JSON.stringify(body)}`;
        if (refused === undefined) assert.is(status, statusOf(request, response.status), `${where}\n${text}`);
        if (status === 200 && refused === undefined)
          assert.is(misfit(json, readBy(request, response.body)), undefined, `${where}\n${text.slice(0, 500)}`);
        assert.ok(status < 500, `${where}\n${text}`);
      }
    }
  });
}

t.run();
