import type { FastifyServerOptions } from 'fastify';
import type { ModelSpec } from '../models/served-model.js';

/** How `createServer` serves. */
export interface ServerOptions {
  /** The models. Default: the bundled one and its heads. */
  readonly models?: readonly ModelSpec[] | undefined;
  /** Where it listens. Default 127.0.0.1: this machine alone. */
  readonly host?: string | undefined;
  /** Default 3000; 0 takes a free one. */
  readonly port?: number | undefined;
  /** A unix socket's path in place of host and port. */
  readonly udsPath?: string | undefined;
  /** A socket that is open already, as systemd hands it over. */
  readonly fd?: number | undefined;
  /** Certificate and key, PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Keys of which every request but those about the server's state has to carry one. Default: none is asked for. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Origins whose pages may read answers; `*` for all. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Longest body in bytes. Default 4,000,000. */
  readonly maxBodyBytes?: number | undefined;
  /** Inputs of a request. Default 2,048. */
  readonly maxInputs?: number | undefined;
  /** Requests that wait or run at once. Default 512. */
  readonly maxRequests?: number | undefined;
  /** Their tokens, estimated from the texts. Default 1,048,576. */
  readonly maxQueuedTokens?: number | undefined;
  /** Requests a minute for each key, or each address where no key is asked for; more are refused with 429. Default: as many as they like. */
  readonly maxRequestsAMinute?: number | undefined;
  /** Milliseconds after which no part of a request is begun any more. Default 30,000; `x-deadline-ms` of a request comes first. */
  readonly deadlineMs?: number | undefined;
  /** Whether texts longer than the model's limit are cut where a request says nothing; else they are refused. Default true. */
  readonly autoTruncate?: boolean | undefined;
  /** Whether `[SEP]` and its like in texts are ordinary text, for texts that nobody vouches for. Default false: they are the tokens, as in Python. */
  readonly splitSpecialTokens?: boolean | undefined;
  /** Whether answers may be explained (`/tasks/explain`): explanations tell much about weights and texts. Default true. */
  readonly explain?: boolean | undefined;
  /** What stands before each text of `/embed` and its like where a request names no prompt. Default: the model's own. */
  readonly defaultPrompt?: string | undefined;
  /** The same by the name of one of the model's prompts. */
  readonly defaultPromptName?: string | undefined;
  /** Milliseconds for the headers of a request to arrive. Default 15,000. */
  readonly headersTimeoutMs?: number | undefined;
  /** Milliseconds for a whole request to arrive. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds that a connection may be idle. Default 75,000. */
  readonly keepAliveMs?: number | undefined;
  /** Milliseconds that open connections get to bring their next request and to hear that it was the last, when the server closes. Default 500. */
  readonly graceMs?: number | undefined;
  /** Milliseconds that requests in flight get to be answered when the server closes. Default 25,000. */
  readonly drainMs?: number | undefined;
  /** Fastify's logger, or how to make it. Default: none. */
  readonly logger?: FastifyServerOptions['logger'] | undefined;
}

/** Options that stay undefined where nobody gives them. */
type Optional = 'maxRequestsAMinute' | 'models' | 'udsPath' | 'fd' | 'tls' | 'defaultPrompt' | 'defaultPromptName';

/** `ServerOptions` with their defaults. */
export type Settings = Pick<ServerOptions, Optional> & {
  readonly [Key in Exclude<keyof ServerOptions, Optional>]-?: NonNullable<ServerOptions[Key]>;
};

/** The defaults of `ServerOptions`. */
export const defaults = {
  host: '127.0.0.1',
  port: 3000,
  apiKeys: [],
  corsOrigins: [],
  maxBodyBytes: 4_000_000,
  maxInputs: 2048,
  maxRequests: 512,
  maxQueuedTokens: 1 << 20,
  deadlineMs: 30_000,
  autoTruncate: true,
  splitSpecialTokens: false,
  explain: true,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 75_000,
  graceMs: 500,
  drainMs: 25_000,
  logger: false,
} as const satisfies Partial<Settings>;

/** Options with the defaults in the place of those that are undefined. */
export function settingsOf(options: ServerOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...given };
}
