/** How one call of one client went. */
export interface Outcome {
  readonly client: string;
  readonly version: string;
  readonly route: string;
  readonly what: string;
  /** Why it failed; undefined where it did not. */
  readonly error?: string | undefined;
}

/** A table in Markdown, and below it what went wrong. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ client, version, route, what, error }) => `| ${client} | ${version} | ${route} | ${what} | ${error === undefined ? 'yes' : 'NO'} |`,
  );
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const reasons = failed.map(({ client, what, error }) => `${client}, ${what}: ${error}`);
  const count = `${outcomes.length - failed.length} of ${outcomes.length} calls of ${new Set(outcomes.map(({ client }) => client)).size} clients`;
  return ['| client | version | route | call | ok |', '|---|---|---|---|---|', ...rows, '', count, ...reasons, ''].join('\n');
}
