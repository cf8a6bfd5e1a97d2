// How the page asks the server: addresses are relative to the page's own, so that it works behind a prefix.

/** A model as `/v1/models` tells of it. */
export interface ServedModel {
  readonly id: string;
  readonly abilities: readonly string[];
  readonly dimensions?: number;
  readonly max_tokens: number;
}

/** What the server refused, in its words. */
export class Refusal extends Error {}

let apiKey = '';

/** The key that is sent with every request from now on; '' for none. */
export function useKey(key: string): void {
  apiKey = key;
}

function headers(): Record<string, string> {
  return apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` };
}

/** How far the server has come with an answer. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What becomes of a request while it is answered. */
export interface Following {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Hears a text that is written: all of it so far. */
  readonly onText?: (text: string) => void;
}

/** What a route answers to a body. Errors: Refusal, with the server's message; the signal's reason. */
export async function post(path: string, body: object, { signal, onProgress, onText }: Following = {}): Promise<unknown> {
  const response = await fetch(`./${path}`, {
    method: 'POST',
    headers: { accept: `${lineType}, application/json`, 'content-type': 'application/json', 'x-priority': 'interactive', ...headers() },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) return readText(response.body!, onText);
  if (!type.startsWith(lineType)) return read(response);
  let found: unknown;
  for await (const line of linesOf(response.body!)) {
    const { answer, done, total, ...refusal } = JSON.parse(line) as Partial<Progress> & { answer?: unknown; error?: string };
    if (done !== undefined && total !== undefined) onProgress?.({ done, total });
    else if (answer === undefined) throw new Refusal(messageOf(JSON.stringify(refusal)) ?? line);
    else found = answer;
  }
  if (found === undefined) throw new Refusal(kStopped);
  return found;
}

const kStopped = 'The server has stopped before its answer.';

/** A text that is written token by token, as text-generation-inference tells it. Errors: Refusal. */
async function readText(body: ReadableStream<Uint8Array>, onText: Following['onText']): Promise<{ readonly text: string }> {
  let text = '';
  for await (const line of linesOf(body)) {
    if (!line.startsWith('data: ')) continue;
    const event = line.slice('data: '.length);
    const { token, generated_text: whole } = JSON.parse(event) as { token?: { readonly text: string }; generated_text?: string | null };
    if (token === undefined) throw new Refusal(messageOf(event) ?? event);
    if (typeof whole === 'string') return { text: whole };
    onText?.((text += token.text));
  }
  throw new Refusal(kStopped);
}

const lineType = 'application/x-ndjson';

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const [reader, decoder] = [body.getReader(), new TextDecoder()];
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
    rest = lines.pop()!;
    yield* lines;
    if (done) return;
  }
}

/** The loaded models. Errors: Refusal. */
export async function loadedModels(): Promise<readonly ServedModel[]> {
  const { data } = (await read(await fetch('./v1/models', { headers: headers() }))) as { data: readonly ServedModel[] };
  return data;
}

/** Whether the server takes requests. */
export async function isReady(): Promise<boolean> {
  return (await fetch('./readyz')).ok;
}

/** Prometheus' samples by name, those of one name added up. Errors: Refusal. */
export async function metrics(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch('./metrics', { headers: headers() });
  if (!response.ok) throw new Refusal(response.statusText);
  const found = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const [, name, value] = /^(\w+)(?:\{[^}]*\})? (\S+)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, (found.get(name) ?? 0) + Number(value));
  }
  return found;
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as unknown;
  throw new Refusal(messageOf(text) ?? `${response.status} ${response.statusText}`);
}

function messageOf(text: string): string | undefined {
  try {
    const { message, error } = JSON.parse(text) as { message?: string; error?: string | { message?: string } };
    return message ?? (typeof error === 'object' ? error.message : error);
  } catch {
    return undefined;
  }
}
