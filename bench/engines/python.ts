import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Engine, Runner, TimedRun, Work } from '../engine.js';

interface Reply {
  readonly error?: string;
  readonly [key: string]: unknown;
}

/** bench/python/rivals.py, which answers each line of JSON with one. It times its runs itself. */
class PythonProcess {
  readonly #child: ChildProcess;
  readonly #waiting: ((reply: Reply) => void)[] = [];

  constructor(python: string) {
    const script = fileURLToPath(new URL('../python/rivals.py', import.meta.url));
    this.#child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Reply));
    const end = (why: string): void => this.#waiting.splice(0).forEach((resolve) => resolve({ error: why }));
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('close', (code) => end(`Python ended with exit code ${code}`));
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async ask(request: object): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }
}

/** What the given Python has of sentence-transformers, OpenVINO and CTranslate2. What is missing goes to `leftOut`. */
export async function pythonEngines(python: string, leftOut: string[]): Promise<Engine[]> {
  const lister = new PythonProcess(python);
  const { engines, missing } = (await lister.ask({ do: 'list' })) as unknown as {
    engines: { name: string; precision: string; version: string }[];
    missing: string[];
  };
  lister.stop();
  leftOut.push(...missing);
  return engines.map(({ name, precision, version }) => engineOf(new PythonProcess(python), { name, precision, version }));
}

/** An engine of Python in a process of its own. */
function engineOf(child: PythonProcess, { name, precision, version }: Pick<Engine, 'name' | 'precision' | 'version'>): Engine {
  return {
    name,
    precision,
    version,
    isRival: true,
    packs: false,
    pid: child.pid,
    load: async (model, threads): Promise<Runner> => {
      await child.ask({ do: 'load', engine: name, directory: model.directory, onnx: model.onnx['fp32'] ?? null, threads });
      const embed = async (work: Omit<Work, 'ids'> & { keep: boolean }) =>
        (await child.ask({ do: 'embed', engine: name, ...work })) as unknown as { ms: number; vectors: number[][] };
      return {
        text: ({ texts, batchSize, batching }): TimedRun => {
          return Object.assign(async () => (await embed({ texts, batchSize, batching, keep: false })).ms, { pid: child.pid });
        },
        vectors: async (texts) => {
          const { vectors } = await embed({ texts, batchSize: 32, batching: 'arrival', keep: true });
          return vectors.map((vector) => Float32Array.from(vector));
        },
        dispose: async () => {
          await child.ask({ do: 'dispose', engine: name });
        },
      };
    },
  };
}
