import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** A request as the server saw it. */
export interface Seen {
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers a request instead of the server, or returns false to let it. */
export type Fault = (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean;

/** The hash that the Hub lists a file by. */
export function hubHash(content: Buffer, isLarge: boolean): string {
  if (isLarge) return createHash('sha256').update(content).digest('hex');
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** Files of a folder by their name inside it. */
export function filesOf(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(folder, file).split(path.sep).join('/'), readFileSync(file)];
    }),
  );
}

/** Plays the Hub on 127.0.0.1: one repository under two names of a revision, large files behind a redirect as the real one has them. */
export class HubServer {
  static readonly commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
  readonly seen: Seen[] = [];
  /** What the other host, which serves large files, saw. */
  readonly seenByStore: Seen[] = [];
  /** Looked at before every answer of either host. */
  fault: Fault = () => false;
  commit = HubServer.commit;
  /** Further revisions, `refs/pr/7` among them, with files of their own. */
  readonly pullRequests = new Map<string, { readonly commit: string; readonly files: Map<string, Buffer> }>();
  readonly id: string;
  readonly files: Map<string, Buffer>;
  /** Without it everything is public. */
  token: string | undefined;
  readonly #hub: Server;
  readonly #store: Server;

  private constructor(id: string, files: Map<string, Buffer>) {
    this.id = id;
    this.files = files;
    this.#hub = createServer((request, response) => this.#answerHub(request, response));
    this.#store = createServer((request, response) => this.#answerStore(request, response));
  }

  static async start(id: string, files: Map<string, Buffer>): Promise<HubServer> {
    const server = new HubServer(id, files);
    for (const each of [server.#hub, server.#store]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const each of [this.#hub, this.#store]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  }

  #answerHub(request: IncomingMessage, response: ServerResponse): void {
    this.seen.push(seenOf(request));
    const url = decodeURIComponent(new URL(request.url!, this.endpoint).pathname);
    const asked = url.startsWith(`/${this.id}/resolve/`) ? url.split('/')[4] : undefined;
    const files = asked === this.commit ? this.files : [...this.pullRequests.values()].find(({ commit }) => commit === asked)?.files;
    const file = files === undefined ? undefined : url.split('/').slice(5).join('/');
    const body = (file === undefined ? undefined : files!.get(file)) ?? Buffer.alloc(0);
    if (this.fault(request, response, body)) return;
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      return refuse(response, 401, 'GatedRepo');
    }
    if (url === `/api/models/${this.id}/refs`) {
      const refs = [...this.pullRequests].map(([ref, { commit }]) => ({ name: ref, ref, targetCommit: commit }));
      response.end(JSON.stringify({ branches: [], converts: [], tags: [], pullRequests: refs }));
      return;
    }
    const revision = url.startsWith(`/api/models/${this.id}/revision/`) ? url.split('/').slice(6).join('/') : undefined;
    const other = this.pullRequests.get(revision ?? '');
    if (other !== undefined) response.end(JSON.stringify(this.listing(other)));
    else if (revision === 'main' || revision === 'refs/pr/1' || revision === this.commit) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(this.listing()));
    } else if (revision !== undefined) refuse(response, 404, 'RevisionNotFound');
    else if (file === undefined) refuse(response, 401, 'RepoNotFound');
    else if (!files!.has(file)) refuse(response, 404, 'EntryNotFound');
    else if (isLarge(file)) {
      response
        .writeHead(302, { location: `http://127.0.0.1:${(this.#store.address() as AddressInfo).port}/${file}?signature=secret` })
        .end();
    } else serve(request, response, body);
  }

  #answerStore(request: IncomingMessage, response: ServerResponse): void {
    this.seenByStore.push(seenOf(request));
    const name = new URL(request.url!, this.endpoint).pathname.slice(1);
    const all = [this.files, ...[...this.pullRequests.values()].map(({ files }) => files)];
    const body = all.flatMap((files) => files.get(name) ?? [])[0] ?? Buffer.alloc(0);
    if (!this.fault(request, response, body)) serve(request, response, body);
  }

  listing({ commit, files }: Pick<HubServer, 'commit' | 'files'> = this): { sha: string; siblings: Record<string, unknown>[] } {
    const siblings = Array.from(files, ([rfilename, content]) => ({
      rfilename,
      size: content.length,
      blobId: hubHash(isLarge(rfilename) ? Buffer.from('a pointer') : content, false),
      ...(isLarge(rfilename) ? { lfs: { sha256: hubHash(content, true), size: content.length, pointerSize: 9 } } : {}),
    }));
    return { sha: commit, siblings };
  }
}

/** Serves a body, or the part of it that was asked for. */
export function serve(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0) response.writeHead(206, { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
  response.end(body.subarray(from));
}

export function isLarge(file: string): boolean {
  return file.endsWith('.safetensors');
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': 'as the Hub says it' }).end();
}

function seenOf({ url, headers }: IncomingMessage): Seen {
  return { url: url!, range: headers.range, authorization: headers.authorization };
}

const HUB_VARIABLES = /^(?:HF_|HUGGING|TRANSFORMERS_OFFLINE$|XDG_CACHE_HOME$)/;

/** Makes these the only variables of the environment that the Hub's client knows. Returns them. */
export function setHubEnvironment<T extends Readonly<Record<string, string>>>(variables: T): T {
  for (const name of Object.keys(process.env)) if (HUB_VARIABLES.test(name)) delete process.env[name];
  Object.assign(process.env, variables);
  return variables;
}
