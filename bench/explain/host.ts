// Bertha's side of `npm run bench:explain`: the requests of bench/python/explain.py, answered likewise, and a forward of the same tokens.
import { createInterface } from 'node:readline';
import { integrate, Path } from '../../src/explain/attribution/gradients.js';
import { gaussLegendre } from '../../src/explain/attribution/quadrature.js';
import { rowProgramOf } from '../../src/explain/engine/engines.js';
import { kMostRows, RowEngine } from '../../src/explain/engine/row-engine.js';
import { resolveBaseline } from '../../src/explain/evaluation/baseline.js';
import { readExplained } from '../../src/explain/reading/explained-text.js';
import { loadModel, type Model } from '../../src/index.js';
import { version } from '../../src/version.js';

interface Request {
  readonly do: 'load' | 'explain' | 'forward';
  readonly threads: number;
  readonly tokens: number;
  readonly steps: number;
}

let model: Model;
let engine: RowEngine;

async function answer(request: Request): Promise<object> {
  const { threads, tokens, steps } = request;
  if (request.do === 'load') {
    model = await loadModel(undefined, { task: 'text-classification', threads });
    const capacity = Math.max(kMostRows, tokens);
    engine = await rowProgramOf(model, 'sequenceClassification', capacity, (program) => RowEngine.load(program, capacity, threads));
    return { name: 'Bertha', version };
  }
  const read = await readExplained('bench', model, 'film '.repeat(tokens), { maxLength: tokens });
  const start = performance.now();
  if (request.do === 'forward') await model.forward(Array.from({ length: steps }, () => read.encoding));
  else {
    const score = { value: 'sequenceClassification', terms: [{ column: 1, coefficient: 1 }] } as const;
    const path = await Path.between({ model, read, score, baseline: resolveBaseline(model, 'pad'), running: {} }, engine);
    await integrate(path, gaussLegendre(steps));
  }
  return { seconds: (performance.now() - start) / 1000, tokens: read.tokens.length };
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line) as Request).catch((error: unknown) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
