import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** An answer; of a request that failed, why. */
export interface Reply {
  readonly error?: string;
  readonly [key: string]: unknown;
}

/** A process that answers each line of JSON on its input with one on its output. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #waiting: ((reply: Reply) => void)[] = [];

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Reply));
    const end = (why: string): void => this.#waiting.splice(0).forEach((resolve) => resolve({ error: why }));
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('close', (code) => end(`${command} ended with exit code ${code}`));
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** The answer to a request. Errors: the process's own; one where it ends. */
  async ask(request: object): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }
}
