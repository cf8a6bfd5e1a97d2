import { fileURLToPath } from 'node:url';
import type { Engine, Runner, TimedRun, Work } from '../engine.js';
import { LineProcess } from '../line-process.js';

/** bench/python/rivals.py, which times its runs itself. */
const rivals = (python: string) => new LineProcess(python, [fileURLToPath(new URL('../python/rivals.py', import.meta.url))]);

/** What the given Python has of sentence-transformers, OpenVINO and CTranslate2. What is missing goes to `leftOut`. */
export async function pythonEngines(python: string, leftOut: string[]): Promise<Engine[]> {
  const lister = rivals(python);
  const { engines, missing } = (await lister.ask({ do: 'list' })) as unknown as {
    engines: { name: string; precision: string; version: string }[];
    missing: string[];
  };
  lister.stop();
  leftOut.push(...missing);
  return engines.map(({ name, precision, version }) => engineOf(rivals(python), { name, precision, version }));
}

/** An engine of Python in a process of its own. */
function engineOf(child: LineProcess, { name, precision, version }: Pick<Engine, 'name' | 'precision' | 'version'>): Engine {
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
