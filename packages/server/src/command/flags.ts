import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { BerthaError } from 'bertha-encoder';
import { bundledSpecs, type ModelSpec } from '../models/served-model.js';
import { defaults, type ServerOptions } from '../settings/settings.js';
import { aliases, ignored, ownNames } from './compatible.js';

/** A flag of `bertha serve`: how it is typed, which variable stands for it, what it sets. */
interface Flag {
  /** What stands after it; none for a switch. */
  readonly value?: string;
  readonly short?: string;
  /** The variable that is read where the flag is not given; text-embeddings-inference's name where it has one. */
  readonly env?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
  readonly group: 'Models' | 'Address' | 'Limits' | 'Access' | 'Process';
}

/** Every flag; `compatible.ts` has those that are taken because text-embeddings-inference has them. */
export const flags = {
  model: {
    group: 'Models',
    value: '[NAME=]DIR|ID',
    env: 'MODEL_ID',
    isRepeatable: true,
    help: 'a model to serve; without it the bundled one and its heads',
  },
  adapter: { group: 'Models', value: '[NAME=]DIR', isRepeatable: true, help: 'a LoRA adapter of the --model before it, served beside it' },
  revision: { group: 'Models', value: 'NAME', env: 'REVISION', help: 'branch, tag or commit of models of the Hub' },
  precision: { group: 'Models', value: 'NAME', env: 'DTYPE', help: 'fp32, bf16, int8, …, auto; float32 and float16 as well' },
  threads: { group: 'Models', value: 'N', help: 'threads that may compute for a model at once' },
  device: { group: 'Models', value: 'NAME', help: 'where models compute: cpu, cuda, cuda:1, …, auto (cpu)' },
  'hf-token': { group: 'Models', value: 'TOKEN', help: 'for private and gated models of the Hub; else HF_TOKEN, …' },
  'huggingface-hub-cache': { group: 'Models', value: 'DIR', help: 'where models of the Hub are kept; else HF_HUB_CACHE, …' },
  'served-model-name': { group: 'Models', value: 'NAME', env: 'SERVED_MODEL_NAME', help: 'name of the first model' },
  'default-prompt': { group: 'Models', value: 'TEXT', env: 'DEFAULT_PROMPT', help: 'put before each text that names no prompt' },
  'default-prompt-name': {
    group: 'Models',
    value: 'NAME',
    env: 'DEFAULT_PROMPT_NAME',
    help: "the same, by the name of one of the model's prompts",
  },
  host: { group: 'Address', value: 'ADDRESS', help: `where it listens (${defaults.host}); 0.0.0.0 for every network` },
  port: { group: 'Address', value: 'N', short: 'p', env: 'PORT', help: `port (${defaults.port}); 0 takes a free one` },
  'uds-path': { group: 'Address', value: 'PATH', env: 'UDS_PATH', help: 'a unix socket instead of host and port' },
  'tls-cert': { group: 'Address', value: 'FILE', env: 'TLS_CERT_FILE', help: 'certificate, PEM: HTTPS' },
  'tls-key': { group: 'Address', value: 'FILE', env: 'TLS_KEY_FILE', help: 'its key' },
  'max-concurrent-requests': {
    group: 'Limits',
    value: 'N',
    env: 'MAX_CONCURRENT_REQUESTS',
    help: `requests that wait or run (${defaults.maxRequests}); more get 429`,
  },
  'max-client-batch-size': {
    group: 'Limits',
    value: 'N',
    env: 'MAX_CLIENT_BATCH_SIZE',
    help: `inputs of a request (${defaults.maxInputs})`,
  },
  'max-queued-tokens': {
    group: 'Limits',
    value: 'N',
    env: 'MAX_QUEUED_TOKENS',
    help: `tokens that wait or run (${defaults.maxQueuedTokens})`,
  },
  'payload-limit': { group: 'Limits', value: 'BYTES', env: 'PAYLOAD_LIMIT', help: `longest body (${defaults.maxBodyBytes})` },
  'deadline-ms': {
    group: 'Limits',
    value: 'N',
    env: 'DEADLINE_MS',
    help: `time after which no part of a request is begun (${defaults.deadlineMs})`,
  },
  'auto-truncate': {
    group: 'Limits',
    value: 'BOOL',
    env: 'AUTO_TRUNCATE',
    help: 'false refuses texts beyond the limit that a request does not let be cut',
  },
  'split-special-tokens': {
    group: 'Limits',
    value: 'BOOL',
    env: 'SPLIT_SPECIAL_TOKENS',
    help: 'true reads [SEP] and its like in texts as ordinary text (false)',
  },
  explain: {
    group: 'Limits',
    value: 'BOOL',
    env: 'EXPLAIN',
    help: 'false leaves out /tasks/explain, whose answers tell much about weights and texts (true)',
  },
  'rate-limit': {
    group: 'Limits',
    value: 'N',
    env: 'RATE_LIMIT',
    help: 'requests a minute for each key, or each address where no key is asked for (none); more get 429',
  },
  'api-key': { group: 'Access', value: 'KEY', env: 'API_KEY', isRepeatable: true, help: 'a key that requests have to carry' },
  'api-key-file': { group: 'Access', value: 'FILE', env: 'API_KEY_FILE', help: 'the same, a key a line' },
  'cors-origin': {
    group: 'Access',
    value: 'ORIGIN',
    env: 'CORS_ALLOW_ORIGIN',
    isRepeatable: true,
    help: 'pages that may read answers; * for all (none)',
  },
  'log-level': { group: 'Process', value: 'LEVEL', env: 'LOG_LEVEL', help: 'trace, debug, info, warn, error, silent (info)' },
  'drain-ms': { group: 'Process', value: 'N', env: 'DRAIN_MS', help: `time that requests get to end after SIGTERM (${defaults.drainMs})` },
  help: { group: 'Process', short: 'h', help: 'print this' },
} as const satisfies Readonly<Record<string, Flag>>;

type FlagName = keyof typeof flags;

/** What was typed and what the environment says. */
export interface CommandLine {
  readonly isHelp: boolean;
  readonly options: ServerOptions;
  readonly logLevel: string;
  /** Names of flags and variables that change nothing. */
  readonly ignored: readonly string[];
}

const usage = (message: string): BerthaError => new BerthaError('USAGE', message);

/** Reads flags, and variables where there is no flag. Errors: BerthaError USAGE, IO. */
export function readCommandLine(args: readonly string[], env: Readonly<Record<string, string | undefined>>): CommandLine {
  const { tokens, values } = parse(args);
  const text = (name: FlagName): string | undefined => {
    const given = values[name];
    const { env: variable } = flags[name] as Flag;
    return typeof given === 'string' ? given : variable === undefined ? undefined : env[variable] || undefined;
  };
  const whole = (name: FlagName, least: number, most: number): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (/^\d+$/.test(given) && value >= least && value <= most) return value;
    throw usage(`Expected a whole number from ${least} to ${most} for --${name}, received ${JSON.stringify(given)}.`);
  };
  const list = (name: FlagName): readonly string[] => {
    const given = values[name];
    if (Array.isArray(given)) return given as readonly string[];
    const { env: variable } = flags[name] as Flag;
    return (env[variable!] ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean);
  };
  const file = (name: FlagName): string | undefined => {
    const path = text(name);
    return path === undefined ? undefined : readText(path, name);
  };
  const [cert, key, keys] = [file('tls-cert'), file('tls-key'), file('api-key-file')];
  if ((cert === undefined) !== (key === undefined)) throw usage('Expected both --tls-cert and --tls-key, or neither.');
  if (cert !== undefined) checkCertificate(cert, key!);
  const most = Number.MAX_SAFE_INTEGER;
  return {
    isHelp: values['help'] === true,
    logLevel: readLevel(text('log-level')),
    ignored: Object.entries(ignored).flatMap(([flag, { env: variable }]) =>
      flag in values ? `--${flag}` : variable !== undefined && env[variable] ? variable : [],
    ),
    options: {
      models: readModels(tokens, text, whole('threads', 1, 1024), env),
      defaultPrompt: text('default-prompt'),
      defaultPromptName: text('default-prompt-name'),
      host: text('host'),
      port: whole('port', 0, 65_535),
      udsPath: text('uds-path'),
      fd: socketOfSystemd(env),
      tls: cert === undefined ? undefined : { cert, key: key! },
      maxRequests: whole('max-concurrent-requests', 1, most),
      maxInputs: whole('max-client-batch-size', 1, most),
      maxQueuedTokens: whole('max-queued-tokens', 1, most),
      maxBodyBytes: whole('payload-limit', 1, 1 << 30),
      deadlineMs: whole('deadline-ms', 1, 3_600_000),
      drainMs: whole('drain-ms', 0, 3_600_000),
      autoTruncate: readSwitch('auto-truncate', text('auto-truncate')),
      splitSpecialTokens: readSwitch('split-special-tokens', text('split-special-tokens')),
      explain: readSwitch('explain', text('explain')),
      maxRequestsAMinute: whole('rate-limit', 1, most),
      apiKeys: [
        ...list('api-key'),
        ...(keys ?? '')
          .split(/\r?\n/)
          .map((line) => line.trim())
          .filter(Boolean),
      ],
      corsOrigins: list('cors-origin'),
    },
  };
}

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly value?: string | undefined;
}

function parse(args: readonly string[]): { readonly tokens: readonly Token[]; readonly values: Readonly<Record<string, unknown>> } {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, flag] of Object.entries(flags) as [string, Flag][]) {
    const short = flag.short === undefined ? {} : { short: flag.short };
    options[name] = { type: flag.value === undefined ? 'boolean' : 'string', multiple: flag.isRepeatable === true, ...short };
  }
  for (const [name, { isSwitch }] of Object.entries(ignored)) options[name] = { type: isSwitch === true ? 'boolean' : 'string' };
  try {
    return parseArgs({ args: ownNames(args), options, tokens: true, allowPositionals: false }) as ReturnType<typeof parse>;
  } catch (error) {
    throw usage(`${(error as Error).message} See bertha serve --help.`);
  }
}

/** Models and adapters in the order they were typed, since an adapter belongs to the model before it. */
function readModels(
  tokens: readonly Token[],
  text: (name: FlagName) => string | undefined,
  threads: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly ModelSpec[] | undefined {
  const common = {
    revision: text('revision'),
    precision: readPrecision(text('precision')),
    device: text('device') as ModelSpec['device'],
    token: text('hf-token'),
    cacheDir: text('huggingface-hub-cache'),
    threads,
  };
  const specs: ModelSpec[] = [];
  let base: string | undefined;
  for (const { kind, name, value } of tokens) {
    if (kind !== 'option' || (name !== 'model' && name !== 'adapter')) continue;
    const [own, path] = splitName(value!);
    if (name === 'model') base = path;
    specs.push({ ...common, name: own, model: base, ...(name === 'adapter' ? { adapter: path } : {}) });
  }
  const ofEnvironment = env['MODEL_ID'];
  if (specs.length === 0 && ofEnvironment) specs.push({ ...common, model: ofEnvironment });
  const first = text('served-model-name');
  if (specs.length === 0) {
    const { precision, device } = common;
    if ([first, precision, device, threads].every((each) => each === undefined)) return undefined;
    specs.push(...bundledSpecs.map((spec) => ({ ...spec, precision, device, threads })));
  }
  if (first !== undefined) specs[0] = { ...specs[0], name: first };
  return specs;
}

/** NAME=DIR; a path with an equals sign in it comes after a name of its own. */
function splitName(value: string): readonly [string | undefined, string] {
  const found = /^([\w.:@-]+(?:\/[\w.-]+)?)=(.+)$/.exec(value);
  return found === null ? [undefined, value] : [found[1], found[2]!];
}

function readPrecision(given: string | undefined): ModelSpec['precision'] {
  const names: Readonly<Record<string, string>> = { float32: 'fp32', float16: 'fp16-weights', bfloat16: 'bf16' };
  return (given === undefined ? undefined : (names[given] ?? given)) as ModelSpec['precision'];
}

function readSwitch(flag: FlagName, given: string | undefined): boolean | undefined {
  if (given === undefined) return undefined;
  if (/^(?:true|1|yes|on)$/i.test(given)) return true;
  if (/^(?:false|0|no|off)$/i.test(given)) return false;
  throw usage(`Expected true or false for --${flag}, received ${JSON.stringify(given)}.`);
}

function readLevel(given = 'info'): string {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
  if (levels.includes(given)) return given;
  throw usage(`Expected one of ${levels.join(', ')} for --log-level, received ${JSON.stringify(given)}.`);
}

function readText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new BerthaError('IO', `The file of --${flag} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Errors: USAGE for a certificate or key that is none, or a key of another certificate. */
function checkCertificate(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new BerthaError('USAGE', `Expected a certificate and its key, PEM, in the files of --tls-cert and --tls-key: ${reason}`, {
      cause,
    });
  }
}

/** systemd's first socket, where it started this process and handed one over. */
function socketOfSystemd(env: Readonly<Record<string, string | undefined>>): number | undefined {
  return env['LISTEN_PID'] === String(process.pid) && Number(env['LISTEN_FDS']) >= 1 ? 3 : undefined;
}

/** What `bertha serve --help` prints. */
export function helpText(): string {
  const lines = [
    'Usage: bertha serve [flags]',
    '',
    'Serve models over HTTP, as text-embeddings-inference, OpenAI, Cohere and Hugging Face do.',
  ];
  let group = '';
  for (const [name, flag] of Object.entries(flags) as [string, Flag][]) {
    if (flag.group !== group) lines.push('', `${(group = flag.group)}:`);
    const typed = `${flag.short === undefined ? '' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
    const facts = [flag.env, flag.isRepeatable === true ? 'repeatable' : undefined].filter((each) => each !== undefined);
    lines.push(`  ${typed.padEnd(32)} ${flag.help}${facts.length === 0 ? '' : ` [${facts.join('; ')}]`}`);
  }
  const names = Object.entries(aliases).map(([theirs, own]) => `--${theirs} for --${own}`);
  lines.push('', `Of text-embeddings-inference also: ${names.join(', ')}; without effect: ${Object.keys(ignored).join(', ')}.`);
  lines.push('', 'A flag comes before its variable, in brackets. Exit codes: 0 after SIGTERM or SIGINT, 1 failed, 2 wrong usage.');
  return `${lines.join('\n')}\n`;
}
