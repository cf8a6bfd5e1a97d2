import { BerthaError } from 'bertha-encoder';
import { withoutCredentials } from '../shared/failures.js';

/** The service that holds a queue. */
export type QueueEngine = 'redis' | 'postgres';

/** Where a queue is. */
export interface QueueAddress {
  readonly engine: QueueEngine;
  /** For the driver. */
  readonly url: string;
  /** For people: without user and password. */
  readonly shown: string;
}

const engines: Readonly<Record<string, QueueEngine>> = {
  'redis:': 'redis',
  'rediss:': 'redis',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
};

/** Reads a queue's URL. Errors: INVALID_OPTION, without the text that was given, which may hold a password. */
export function readQueueUrl(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const engine = url === undefined ? undefined : engines[url.protocol];
  if (url === undefined || engine === undefined) {
    const received = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0];
    throw new BerthaError(
      'INVALID_OPTION',
      'Expected a URL of Redis (redis://HOST:PORT, rediss://) or PostgreSQL (postgres://USER@HOST:PORT/DATABASE) for queue but received ' +
        (received === undefined ? 'a text that is no URL' : `one that ${url === undefined ? 'cannot be read' : `begins with ${received}`}`),
    );
  }
  return { engine, url: text, shown: withoutCredentials(text) };
}
