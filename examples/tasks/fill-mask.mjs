// Several masks, each with its candidates; then only the words you name.
//   node examples/tasks/fill-mask.mjs [--model path/to/bert-base-uncased]
import { parseArgs } from 'node:util';
import { fillMask, loadModel } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model, values.model === undefined ? { task: 'fill-mask' } : {});
const { masks } = await fillMask(model, 'The [MASK] met Bob in [MASK].', { topK: 3 });
for (const { position, candidates } of masks) console.log(position, candidates.map(({ tokenStr }) => tokenStr).join(', '));

const named = await fillMask(model, 'It was a [MASK] day.', { targets: ['good', 'long'] });
for (const { tokenStr, score } of named.masks[0].candidates) console.log(tokenStr, score.toExponential(2));
model.dispose();
