import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../test/support/random.js';

/** A request, and the statuses that are right for it. */
interface Asked {
  readonly path: string;
  readonly body: string;
  readonly expected: (status: number) => boolean;
}

/** What came of a request: a status, no connection, or one that ended without an answer. */
type Outcome = { readonly status: number; readonly ms: number } | 'refused' | 'lost';

const kWords = 'water light river stone garden winter music letter window mountain bread silver morning engine paper island'.split(' ');
const kSlowMs = 400;

/** Mixed requests at a server, from connections that send one after the other. */
export class Traffic {
  /** What went wrong, each kind once. */
  readonly problems = new Set<string>();
  readonly #agent: Agent;
  readonly #random = new Random(17);
  readonly #port: number;
  readonly #connections: number;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#connections = connections;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends for some seconds. `count`: requests answered as they should be; times in ms of those that were not slow on purpose. */
  async run(seconds: number): Promise<{ count: number; p50: number; p99: number }> {
    const end = performance.now() + 1000 * seconds;
    const times: number[] = [];
    const client = async (): Promise<void> => {
      while (performance.now() < end) {
        const kind = this.#random.integer(0, 19);
        const asked = kind < 2 ? this.#malformed() : this.#wellFormed();
        const outcome = await this.#send(asked, kind === 2 || kind === 3 ? this.#random.integer(0, 8) : undefined, kind === 4);
        if (kind === 2 || kind === 3) continue;
        if (typeof outcome === 'string') this.problems.add(`Expected an answer of ${asked.path} but the connection was ${outcome}`);
        else if (!asked.expected(outcome.status))
          this.problems.add(`Expected another status of ${asked.path} than ${outcome.status}: ${asked.body.slice(0, 60)}`);
        else if (kind !== 4) times.push(outcome.ms);
      }
    };
    await Promise.all(Array.from({ length: this.#connections }, client));
    times.sort((a, b) => a - b);
    const quantile = (share: number): number => times[Math.floor(share * times.length)] ?? NaN;
    return { count: times.length, p50: quantile(0.5), p99: quantile(0.99) };
  }

  /** Sends on while `terminate` ends the server: requests that were answered, refused with 503 or at the connection, and lost in between. */
  async drain(terminate: () => void): Promise<{ answered: number; refused: number; lost: number }> {
    const counts = { answered: 0, refused: 0, lost: 0 };
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const outcome = await this.#send(this.#wellFormed(), undefined, false);
        if (outcome === 'lost') counts.lost++;
        else if (outcome === 'refused' || outcome.status === 503) counts.refused++;
        else counts.answered++;
        if (outcome === 'refused') await sleep(20);
      }
    };
    const clients = Array.from({ length: this.#connections }, client);
    await sleep(500);
    terminate();
    await sleep(3000);
    isOver = true;
    await Promise.all(clients);
    this.#agent.destroy();
    return counts;
  }

  /** A sentence of some words. */
  #text(): string {
    return Array.from({ length: this.#random.integer(3, 40) }, () => this.#random.pick(kWords)).join(' ');
  }

  #wellFormed(): Asked {
    const texts = Array.from({ length: this.#random.integer(1, 4) }, () => this.#text());
    const [path, body] = this.#random.pick<readonly [string, object]>([
      ['/v1/embeddings', { model: 'any', input: texts }],
      ['/v1/embeddings', { model: 'any', input: texts[0], encoding_format: 'base64' }],
      ['/embed', { inputs: texts }],
      ['/similarity', { inputs: { source_sentence: texts[0], sentences: texts } }],
      ['/tokenize', { inputs: texts }],
      ['/v2/embed', { model: 'any', texts, input_type: 'search_document', embedding_types: ['float'] }],
    ]);
    return { path, body: JSON.stringify(body), expected: (status) => status === 200 };
  }

  #malformed(): Asked {
    const [path, body] = this.#random.pick<readonly [string, string]>([
      ['/v1/embeddings', '{"input": "cut o'],
      ['/v1/embeddings', '{"input": 7, "model": "any"}'],
      ['/v1/embeddings', '{"input": [[99999999]], "model": "any"}'],
      ['/embed', '{"inputs": ["a", 3]}'],
      ['/embed', '[]'],
      ['/tokenize', '{"__proto__": {"inputs": "a"}}'],
      ['/no/such/path', '{}'],
    ]);
    return { path, body, expected: (status) => status >= 400 && status < 500 };
  }

  /** `abortMs`: gives up after so long. `isSlow`: reads the answer late. */
  #send({ path, body }: Asked, abortMs: number | undefined, isSlow: boolean): Promise<Outcome> {
    return new Promise((resolve) => {
      const begin = performance.now();
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request({ host: '127.0.0.1', port: this.#port, method: 'POST', path, agent: this.#agent, headers });
      const giveUp = abortMs === undefined ? undefined : setTimeout(() => sent.destroy(), abortMs);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(giveUp);
        // A kept connection may be closed by the server while the next request is on its way: nobody has accepted that one.
        resolve(error.code === 'ECONNREFUSED' || sent.reusedSocket ? 'refused' : 'lost');
      });
      sent.on('response', (response) => {
        void read(response, isSlow).then((isWhole) => {
          clearTimeout(giveUp);
          resolve(isWhole ? { status: response.statusCode!, ms: performance.now() - begin } : 'lost');
        });
      });
      sent.end(body);
    });
  }
}

/** Reads an answer to its end; whether it was whole. */
async function read(response: IncomingMessage, isSlow: boolean): Promise<boolean> {
  if (isSlow) await sleep(kSlowMs);
  return new Promise((resolve) => {
    response.on('error', () => resolve(false));
    response.on('close', () => resolve(response.complete));
    response.resume();
  });
}
