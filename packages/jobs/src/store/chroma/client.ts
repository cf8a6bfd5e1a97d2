import { BerthaError } from 'bertha-encoder';
import { errorMessage, storeFailure, withoutCredentials } from '../../shared/failures.js';
import { withPatience } from '../../shared/patience.js';

/** A record's metadata. An update or upsert keeps what it does not name. */
export type ChromaMetadata = Readonly<Record<string, string | number | boolean | readonly string[]>>;
/** Conditions on metadata, in Chroma's words. */
export type ChromaWhere = Readonly<Record<string, unknown>>;
type Part = 'embeddings' | 'documents' | 'metadatas';

/** Records, column by column. */
export interface ChromaRecords {
  readonly ids: readonly string[];
  readonly embeddings?: readonly (readonly number[])[];
  readonly documents?: readonly string[];
  readonly metadatas?: readonly ChromaMetadata[];
}

/** Records that were found; a column that was not asked for is empty. */
export interface ChromaFound {
  readonly ids: readonly string[];
  readonly embeddings: readonly (readonly number[])[];
  readonly documents: readonly (string | null)[];
  readonly metadatas: readonly (ChromaMetadata | null)[];
}

/** A collection, as the package chromadb has it. */
export interface ChromaCollection {
  add(records: ChromaRecords): Promise<void>;
  upsert(records: ChromaRecords): Promise<void>;
  update(records: ChromaRecords): Promise<void>;
  delete(which: { readonly ids?: readonly string[]; readonly where?: ChromaWhere }): Promise<unknown>;
  get(which: {
    readonly ids?: readonly string[];
    readonly where?: ChromaWhere;
    readonly limit?: number;
    readonly offset?: number;
    readonly include: readonly Part[];
  }): Promise<ChromaFound>;
  query(question: {
    readonly queryEmbeddings: readonly (readonly number[])[];
    readonly nResults: number;
    readonly where?: ChromaWhere;
    readonly include: readonly Part[];
  }): Promise<{ readonly [P in keyof ChromaFound]: readonly ChromaFound[P][] }>;
  count(): Promise<number>;
}

interface Client {
  getCollection(which: { readonly name: string; readonly embeddingFunction: null }): Promise<ChromaCollection>;
  getOrCreateCollection(which: {
    readonly name: string;
    readonly embeddingFunction: null;
    readonly configuration?: object;
  }): Promise<ChromaCollection>;
}

interface ChromaModule {
  readonly ChromaClient: new (options: {
    readonly host: string;
    readonly port: number;
    readonly ssl: boolean;
    readonly tenant?: string;
    readonly database?: string;
    readonly headers: Readonly<Record<string, string>>;
  }) => Client;
}

/** Whether an address is Chroma's: `chroma://` over HTTP, `chromas://` over TLS. */
export const chromaPattern = /^chromas?:\/\//i;
const kPeer = 'chromadb';
const kPort = 8000;

/** A server of Chroma. A call that met a lost connection is made again: each leaves the same when it is made twice. */
export class ChromaServer {
  /** For people: without token. */
  readonly shown: string;
  readonly #client: Client;
  readonly #patienceMs: number;

  private constructor(client: Client, shown: string, patienceMs: number) {
    [this.#client, this.shown, this.#patienceMs] = [client, shown, patienceMs];
  }

  /** Errors: STORE where the package chromadb is not installed, INVALID_ARG for a URL that is none. */
  static async open(url: string, patienceMs: number): Promise<ChromaServer> {
    const read = URL.canParse(url) ? new URL(url) : undefined;
    const path = /^\/?([^/]*)\/?$/.exec(read?.pathname ?? '//')?.[1];
    if (read === undefined || read.hostname === '' || path === undefined)
      throw new BerthaError(
        'INVALID_ARG',
        'Expected a URL such as chroma://HOST:PORT or chroma://TOKEN@HOST:PORT/DATABASE but received one that cannot be read.',
      );
    const { ChromaClient } = await loadPackage();
    const [token, tenant] = [decodeURIComponent(read.username || read.password), read.searchParams.get('tenant')];
    const client = new ChromaClient({
      host: read.hostname,
      port: read.port === '' ? kPort : Number(read.port),
      ssl: /^chromas:/i.test(url),
      headers: token === '' ? {} : { authorization: `Bearer ${token}`, 'x-chroma-token': token },
      ...(tenant === null ? {} : { tenant }),
      ...(path === '' ? {} : { database: path }),
    });
    return new ChromaServer(client, withoutCredentials(url), patienceMs);
  }

  /** A collection; undefined where there is none of the name. Errors: STORE, the signal's reason. */
  async find(name: string): Promise<ChromaCollection | undefined> {
    return this.call(() =>
      this.#client.getCollection({ name, embeddingFunction: null }).catch((error: unknown) => {
        if (nameOf(error) === 'ChromaNotFoundError') return undefined;
        throw error;
      }),
    );
  }

  /** A collection, which is made where there is none. Errors: STORE. */
  async make(name: string, hnsw: object): Promise<ChromaCollection> {
    return this.call(() => this.#client.getOrCreateCollection({ name, embeddingFunction: null, configuration: { hnsw } }));
  }

  /** Makes a call, again as long as the server cannot be reached and the patience is not over. Errors: STORE, IO, the signal's reason. */
  async call<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const what = `The server ${this.shown}`;
      return await withPatience(act, { what, totalMs: this.#patienceMs, code: 'STORE', cutsCalls: false, signal });
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof BerthaError) throw cause;
      const words = withoutCredentials(errorMessage(cause));
      if (/disk is full|no space left/i.test(words))
        throw new BerthaError('IO', `The store ${this.shown} cannot grow: the disk is full (Chroma: ${words}).`, { cause });
      throw storeFailure(`the server ${this.shown} to do as it was told`, cause, hints[nameOf(cause)]);
    }
  }
}

const hints: Readonly<Record<string, string>> = {
  ChromaUnauthorizedError: 'Give a token in the URL: chroma://TOKEN@HOST:PORT.',
  ChromaForbiddenError: 'Give a token in the URL: chroma://TOKEN@HOST:PORT.',
};

function nameOf(error: unknown): string {
  return String((error as { readonly name?: unknown } | undefined)?.name);
}

async function loadPackage(): Promise<ChromaModule> {
  try {
    return (await import(kPeer)) as ChromaModule;
  } catch (cause) {
    throw storeFailure('Chroma to be spoken to', cause, `Install its client: npm i ${kPeer}@3`);
  }
}
