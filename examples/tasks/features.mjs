// pipeline() as in transformers.js: vectors and similarity. Runs with the bundled model.
import { parseArgs } from 'node:util';
import { embedWindows, pipeline } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const extract = await pipeline('feature-extraction', values.model);
const { data, dims } = await extract(['A cat sits on the mat.', 'Stocks fell sharply.'], { pooling: 'mean', normalize: true });
console.log(dims, Array.from(data.subarray(0, 3), (x) => x.toFixed(3)).join(' '));

const compare = await pipeline('sentence-similarity', extract.model);
console.log(
  (await compare('A cat sits on the mat.', ['A kitten rests on a rug.', 'Stocks fell sharply.'])).map((x) => x.toFixed(3)).join(' '),
);

const { windows, vector } = await embedWindows(extract.model, 'A long story about a cat. '.repeat(200), { overlap: 16 });
console.log(`${windows.length} windows, ${vector.length} numbers`);
await extract.dispose();
