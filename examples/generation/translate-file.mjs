// Translates a file line by line; a line of several sentences sentence by sentence, its white space kept.
//   node examples/generation/translate-file.mjs --model path/to/opus-mt-en-de texts.txt > german.txt
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadModel, translate } from 'bertha-encoder';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' }, beams: { type: 'string' } } });
const model = await loadModel(values.model);
const numBeams = values.beams === undefined ? undefined : Number(values.beams);

/** Lines in blocks, each of which is translated at once. */
async function* blocks(file, size = 256) {
  let block = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (block.push(line) < size) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}

for await (const lines of blocks(positionals[0])) {
  const translations = await translate(model, lines, { split: 'sentences', sourceLanguage: 'en', numBeams });
  for (const { text } of translations) console.log(text);
}
model.dispose();
