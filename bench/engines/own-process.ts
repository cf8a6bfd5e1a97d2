import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchModel, Engine, Runner, TimedRun, Work } from '../engine.js';
import type { Kind } from '../results.js';
import type { Request } from './host.js';
import type { EngineSpec } from './specs.js';

/** A process that runs bench/engines/host.ts. */
class EngineProcess {
  readonly #child: ChildProcess;

  constructor(spec: EngineSpec) {
    const host = fileURLToPath(new URL('host.ts', import.meta.url));
    this.#child = fork(host, [JSON.stringify(spec)], { serialization: 'advanced', execArgv: ['--import', 'tsx'] });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The next answer of the process. Errors: those of the engine; one where the process ends. */
  receive<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`Expected an answer of the engine but its process ended with ${code}.`));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        const { value, error } = message as { value: T; error?: string };
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
    });
  }

  ask<T>(request: Request): Promise<T> {
    const answer = this.receive<T>();
    this.#child.send(request);
    return answer;
  }
}

/**
 * An engine in a process of its own, whose threads `measure` stops while others have their turn: some spin after a run, and would take a
 * processor from whoever is measured next. What it needs is loaded there; the times are the process's own.
 */
export async function inOwnProcess(spec: EngineSpec): Promise<Engine> {
  const child = new EngineProcess(spec);
  const facts = await child.receive<Pick<Engine, 'name' | 'precision' | 'version' | 'isRival' | 'packs'>>();
  const prepare = (kind: Kind, work: Work): TimedRun => {
    let prepared: Promise<number> | undefined;
    const run = async (times: number): Promise<readonly number[]> =>
      child.ask({ do: 'run', prepared: await (prepared ??= child.ask({ do: 'prepare', kind, work })), times });
    return Object.assign(async () => (await run(1))[0]!, { repeat: run, pid: child.pid });
  };
  return {
    ...facts,
    load: async (model: BenchModel, threads: number): Promise<Runner> => {
      const { entersEncoder } = await child.ask<{ entersEncoder: boolean }>({ do: 'load', model, threads });
      return {
        text: (work) => prepare('text', work),
        ...(entersEncoder ? { encoder: (work: Work) => prepare('encoder', work) } : {}),
        vectors: (texts) => child.ask({ do: 'vectors', texts }),
        dispose: () => child.ask({ do: 'dispose' }),
      };
    },
    first: (model, threads, cache) => child.ask({ do: 'first', model, threads, ...(cache === undefined ? {} : { cache }) }),
    pid: child.pid,
  };
}
