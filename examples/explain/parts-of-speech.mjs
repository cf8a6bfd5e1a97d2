// Which layers know parts of speech? A probe on each layer, beside the most frequent answer and the same probe on labels dealt out at random.
//   node examples/explain/parts-of-speech.mjs [TAGGED.txt] [--model DIRECTORY]
// Lines are word/TAG word/TAG. What a probe reads can be read; it does not say that the model uses it.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModel } from 'bertha-encoder';
import { probeLayers } from 'bertha-encoder/explain';

const tagged = `the/DET old/ADJ man/NOUN walks/VERB slowly/ADV
a/DET long/ADJ walk/NOUN helps/VERB
she/PRON runs/VERB a/DET small/ADJ shop/NOUN
the/DET run/NOUN ended/VERB early/ADV
they/PRON book/VERB a/DET room/NOUN
he/PRON read/VERB the/DET book/NOUN quickly/ADV
the/DET light/NOUN is/VERB weak/ADJ
a/DET light/ADJ lunch/NOUN helps/VERB
we/PRON light/VERB the/DET fire/NOUN
the/DET plants/NOUN grow/VERB fast/ADV
she/PRON plants/VERB a/DET tree/NOUN
the/DET fast/ADJ train/NOUN left/VERB
they/PRON train/VERB often/ADV
he/PRON turned/VERB left/ADV
the/DET play/NOUN was/VERB dull/ADJ
the/DET children/NOUN play/VERB outside/ADV
a/DET cold/ADJ drink/NOUN is/VERB good/ADJ
we/PRON drink/VERB water/NOUN
they/PRON water/VERB the/DET garden/NOUN daily/ADV
the/DET daily/ADJ news/NOUN is/VERB bad/ADJ
she/PRON answers/VERB the/DET phone/NOUN
the/DET answers/NOUN were/VERB wrong/ADJ
he/PRON works/VERB hard/ADV
the/DET works/NOUN are/VERB hard/ADJ
it/PRON was/VERB a/DET hard/ADJ match/NOUN
the/DET colours/NOUN match/VERB well/ADV`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const rows = (positionals[0] ? readFileSync(positionals[0], 'utf8') : tagged)
  .trim()
  .split('\n')
  .map((line) =>
    line
      .trim()
      .split(/\s+/)
      .map((each) => each.split(/\/(?=[^/]*$)/)),
  );
const model = await loadModel(values.model);
const texts = rows.map((row) => row.map(([word]) => word));
const tags = rows.map((row) => row.map(([, tag]) => tag));
const { layers, majority, testRows } = await probeLayers(model, texts, tags, { testSize: 0.3, seed: 2 });
console.log(`layer       accuracy  control   of ${testRows} words; ${(100 * majority).toFixed(0)} % are of the most frequent class`);
for (const { layer, accuracy, controlAccuracy, interval } of layers) {
  const name = layer === 0 ? 'embeddings' : `layer ${layer}`;
  const [low, high] = interval.map((share) => (100 * share).toFixed(0));
  console.log(
    `${name.padEnd(10)}  ${(100 * accuracy).toFixed(0).padStart(4)} %    ${(100 * controlAccuracy).toFixed(0).padStart(4)} %   ${low} to ${high} %`,
  );
}
model.dispose();
