// What explanations cost:
//   npm run bench:explain -- [--only gradients|loop|umap] [--python PYTHON] [--threads 1] [--tokens 128] [--steps 64] [--rounds 5] [--lines FILE]
// `gradients`: integrated gradients beside a training step of as many tokens, a forward of as many, and PyTorch. PYTHON has torch and transformers; with captum
// its LayerIntegratedGradients is measured too. `loop`: how long the event loop is held up meanwhile, also by Shapley values and maps. `umap`: a map of 2,000
// texts by UMAP; FILE has a text a line, else texts are drawn. Nothing else should run on the machine.
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.js';
import { measureGradients } from './gradients.js';
import { measureLoop } from './loop.js';
import { readTexts } from './texts.js';
import { measureUmap } from './umap.js';

const kTexts = 2000;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    python: { type: 'string' },
    threads: { type: 'string', default: '1' },
    tokens: { type: 'string', default: '128' },
    steps: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
    lines: { type: 'string' },
  },
});
const { only, python, lines } = values;
const [threads, tokens, steps, rounds] = [values.threads, values.tokens, values.steps, values.rounds].map(Number) as [
  number,
  number,
  number,
  number,
];
const parts: Readonly<Record<string, () => Promise<void>>> = {
  gradients: () => measureGradients({ python, threads, tokens, steps, rounds }),
  loop: async () => measureLoop(await readTexts(lines, kTexts)),
  umap: async () => measureUmap(await readTexts(lines, kTexts)),
};
if (only !== undefined && !Object.hasOwn(parts, only)) throw new Error(`Expected ${Object.keys(parts).join(', ')} for --only, not ${only}`);

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.family}, ${machine.instructionSet}, Node ${machine.node}`);
for (const [name, measure] of Object.entries(parts)) if (only === undefined || only === name) await measure();
