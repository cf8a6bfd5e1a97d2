// king - man + woman: trains word vectors on a text and asks them. Usage: node examples/words/king-queen.mjs [CORPUS]
// CORPUS: UTF-8 text, a sentence a line (.gz is unpacked); without one, half a megabyte of Shakespeare beside this program.
// So small a text gives amusing answers rather than right ones: with tens of millions of words the first is "queen".
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trainWord2Vec } from 'bertha-encoder/word-vectors';

const corpus = process.argv[2] ?? fileURLToPath(new URL('data/shakespeare.txt.gz', import.meta.url));
const { vectors, report } = await trainWord2Vec(corpus, {
  tokenizer: (line) => line.toLowerCase().match(/[\p{L}\p{N}]+(?:'\p{L}+)?/gu) ?? [],
  ...{ vectorSize: 100, window: 5, minCount: 3, sample: 1e-3, alpha: 0.05, epochs: 20, seed: 1 },
});
console.log(`${vectors.size} words from ${report.words}`);

for (const { word, similarity } of await vectors.analogy('man', 'king', 'woman', { topN: 5 })) {
  console.log(`${similarity.toFixed(3)} ${word}`);
}

// The family section of such questions: each pair with each other one.
const family = [
  ...[
    ['boy', 'girl'],
    ['brother', 'sister'],
    ['father', 'mother'],
    ['he', 'she'],
    ['his', 'her'],
    ['husband', 'wife'],
  ],
  ...[
    ['king', 'queen'],
    ['man', 'woman'],
    ['prince', 'princess'],
    ['son', 'daughter'],
    ['uncle', 'aunt'],
    ['lord', 'lady'],
  ],
];
const folder = mkdtempSync(join(tmpdir(), 'family-'));
try {
  const questions = family.flatMap(([a, b]) => family.flatMap(([c, d]) => (a === c ? [] : [`${a} ${b} ${c} ${d}`])));
  writeFileSync(join(folder, 'family.txt'), `: family\n${questions.join('\n')}\n`);
  const { accuracy, sections } = await vectors.evaluateWordAnalogies(join(folder, 'family.txt'));
  const { correct, incorrect } = sections[0];
  console.log(`family: ${correct.length} of ${correct.length + incorrect.length} right, ${(100 * accuracy).toFixed(1)} %`);
} finally {
  rmSync(folder, { recursive: true });
}
