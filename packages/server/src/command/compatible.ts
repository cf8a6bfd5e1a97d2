// The command line of text-embeddings-inference, where it differs from ours.

/** Its names of flags that have another name here. */
export const aliases: Readonly<Record<string, string>> = {
  'model-id': 'model',
  dtype: 'precision',
  hostname: 'host',
  'cors-allow-origin': 'cors-origin',
};

/** A flag that changes nothing, and the variable that stands for it. */
interface IgnoredFlag {
  readonly env?: string;
  /** Whether nothing stands after it. */
  readonly isSwitch?: boolean;
}

/**
 * Flags and variables that have nothing to change here: the scheduler batches by itself, pooling is the model's, the log is JSON, spans go where the
 * process's own SDK sends them, metrics are at `/metrics`.
 */
export const ignored: Readonly<Record<string, IgnoredFlag>> = {
  'max-batch-tokens': { env: 'MAX_BATCH_TOKENS' },
  'max-batch-requests': { env: 'MAX_BATCH_REQUESTS' },
  'tokenization-workers': { env: 'TOKENIZATION_WORKERS' },
  pooling: { env: 'POOLING' },
  'dense-path': { env: 'DENSE_PATH' },
  'json-output': { env: 'JSON_OUTPUT', isSwitch: true },
  'disable-spans': { env: 'DISABLE_SPANS', isSwitch: true },
  'otlp-endpoint': { env: 'OTLP_ENDPOINT' },
  'otlp-service-name': { env: 'OTLP_SERVICE_NAME' },
  'prometheus-port': { env: 'PROMETHEUS_PORT' },
};

/** Flags of which the value may be left out, and then is true. */
const optional = new Set(['auto-truncate', 'split-special-tokens', 'explain']);

/** Arguments under the names of `bertha serve`, each flag with a value. */
export function ownNames(args: readonly string[]): string[] {
  return args.map((argument, i) => {
    const [, name, rest] = /^--([\w-]+)(=.*)?$/s.exec(argument) ?? [];
    if (name === undefined) return argument;
    const isBare = rest === undefined && optional.has(name) && (args[i + 1]?.startsWith('-') ?? true);
    return `--${aliases[name] ?? name}${isBare ? '=true' : (rest ?? '')}`;
  });
}
