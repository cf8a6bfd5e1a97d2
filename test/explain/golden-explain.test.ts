import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { checkKeywords, checkMaps, checkProbing, checkQuadrature } from '../../scripts/golden-explain/parts.js';
import { checkPlanted } from '../../scripts/golden-explain/planted.js';
import { modelFolders, type Line } from '../../scripts/golden-explain/read.js';
import { checkModel } from '../../scripts/golden-explain/tiny.js';
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
t('quadrature: as numpy', () => holds(checkQuadrature(root), 10));
t('keywords: as BERTopic', () => holds(checkKeywords(root), 12));
t('maps: as scikit-learn', () => holds(checkMaps(root), 7));
t('probes: as scikit-learn', () => holds(checkProbing(root), 22));
t('the planted word comes first', () => holds(checkPlanted(root, 40), 6));

t.run();
