import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { checkKeywords, checkMaps, checkProbing, checkQuadrature } from '../../scripts/golden-explain/parts.js';
import { checkPlanted } from '../../scripts/golden-explain/planted.js';
import { Golden, modelFolders, type Case, type Line } from '../../scripts/golden-explain/read.js';
import { checkModel, scoreOfTarget } from '../../scripts/golden-explain/tiny.js';
import { onPath } from '../../src/explain/attribution/gradients.js';
import { gaussLegendre } from '../../src/explain/attribution/quadrature.js';
import { resolveBaseline } from '../../src/explain/evaluation/baseline.js';
import { readExplained } from '../../src/explain/reading/explained-text.js';
import { loadModel } from '../../src/index.js';
import { suite } from '../support/suite.js';

const t = suite('golden explanations');
const root = fileURLToPath(new URL('../golden-explain', import.meta.url));

async function holds(lines: AsyncGenerator<Line>, atLeast: number): Promise<void> {
  const wrong: string[] = [];
  let count = 0;
  for await (const { name, ok, text } of lines) {
    count++;
    if (!ok) wrong.push(`${name}: ${text}`);
  }
  assert.equal(wrong, []);
  assert.ok(count >= atLeast, `${count} comparisons`);
}

for (const name of modelFolders(root)) t(`${name}: as PyTorch in float64`, () => holds(checkModel(root, name), 60));
t('small models sum in float64: their terms have half the error', async () => {
  const golden = new Golden(join(root, 'tiny', 'bert-question-answering'));
  const { cases } = golden.json<{ readonly cases: readonly Case[] }>('cases.json');
  const tensors = await golden.tensors('expected.safetensors');
  const model = await loadModel(golden.directory);
  const { nodes } = gaussLegendre(16);
  const errors: number[] = [];
  for (const { id, text, text_pair: textPair, target } of cases) {
    const read = await readExplained('golden', model, { text, textPair: textPair! });
    const problem = { model, read, score: scoreOfTarget(target), baseline: resolveBaseline(model, 'pad'), running: {} };
    const points = await onPath(problem, (path) => path.at(Array.from(nodes)));
    const { data } = tensors.get(`terms.pad.gausslegendre.16.${id}`)!;
    errors.push(...points.flatMap(({ terms }) => Array.from(terms)).map((term, i) => term - data[i]!));
  }
  model.dispose();
  const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  // 2.9e-7 on all instruction sets; 6.3e-7 to 6.8e-7 with float32 sums.
  assert.ok(rms > 0 && rms < 4.2e-7, String(rms));
});
t('quadrature: as numpy', () => holds(checkQuadrature(root), 10));
t('keywords: as BERTopic', () => holds(checkKeywords(root), 12));
t('maps: as scikit-learn', () => holds(checkMaps(root), 7));
t('probes: as scikit-learn', () => holds(checkProbing(root), 22));
t('the planted word comes first', () => holds(checkPlanted(root, 40), 6));

t.run();
