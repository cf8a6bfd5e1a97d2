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

/** What a route answers to a body. Errors: Refusal, with the server's message. */
export async function post(path: string, body: object): Promise<unknown> {
  const response = await fetch(`./${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-priority': 'interactive', ...headers() },
    body: JSON.stringify(body),
  });
  return read(response);
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
