// One engine in a process of its own: its spec is argv[2], as JSON. It answers each message with one, and times its runs itself.
import type { BenchModel, Runner, TimedRun, Work } from '../engine.js';
import type { Kind } from '../results.js';
import { createEngine, type EngineSpec } from './specs.js';

/** What a process is asked. */
export type Request =
  | { readonly do: 'load'; readonly model: BenchModel; readonly threads: number }
  | { readonly do: 'prepare'; readonly kind: Kind; readonly work: Work }
  | { readonly do: 'run'; readonly prepared: number; readonly times: number }
  | { readonly do: 'vectors'; readonly texts: readonly string[] }
  | { readonly do: 'first'; readonly model: BenchModel; readonly threads: number; readonly cache?: string }
  | { readonly do: 'dispose' };

const engine = createEngine(JSON.parse(process.argv[2]!) as EngineSpec);
const prepared: TimedRun[] = [];
let runner: Runner | undefined;

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'load':
      runner = await engine.load(request.model, request.threads);
      return { entersEncoder: runner.encoder !== undefined };
    case 'prepare':
      prepared.push(request.kind === 'text' ? runner!.text(request.work) : runner!.encoder!(request.work));
      return prepared.length - 1;
    case 'run': {
      const times: number[] = [];
      for (let i = 0; i < request.times; i++) times.push(await prepared[request.prepared]!());
      return times;
    }
    case 'vectors':
      return runner!.vectors(request.texts);
    case 'first':
      return engine.first!(request.model, request.threads, request.cache);
    case 'dispose':
      await runner?.dispose();
      prepared.length = 0;
      return undefined;
  }
}

const { name, precision, version, isRival, packs } = engine;
process.on('message', (request: Request) => {
  void answer(request).then(
    (value) => process.send!({ value }),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send!({ value: { name, precision, version, isRival, packs } });
