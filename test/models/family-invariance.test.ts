// What every family after BERT's first four must keep: a text's vector has the same bits in any batch with any number of threads.
import { fileURLToPath } from 'node:url';
import { findGoldenFolders, readCases, type TinyCases } from '../../scripts/golden/files.js';
import { loadEmbedder } from '../../src/index.js';
import { availablePrecisions } from '../../src/runtime/options/precision.js';
import { assertSameBits } from '../support/compare.js';
import { instructionSet } from '../support/devices.js';
import { suite } from '../support/suite.js';

const t = suite(`invariance of families ${instructionSet}`);
const folders = findGoldenFolders(fileURLToPath(new URL('../golden-families/', import.meta.url)));

for (const { name, path } of folders) {
  t(`${name} gives a text the same bits in any batch, with any number of threads`, async () => {
    const words = readCases<TinyCases>(path).cases.flatMap(({ text }) => text.split(' '));
    // Lengths from one word to more than the model takes.
    const texts = Array.from({ length: 9 }, (_, i) => words.slice(i, i + 1 + ((i * i * 7) % 61)).join(' '));
    for (const precision of availablePrecisions()) {
      const one = await loadEmbedder(path, { precision, threads: 1 });
      const three = await loadEmbedder(path, { precision, threads: 3 });
      const together = await three.embed(texts);
      const reversed = await one.embed([...texts].reverse());
      const shorter = await three.embed(texts.slice(3, 5));
      for (const [i, text] of texts.entries()) {
        assertSameBits(reversed.at(-1 - i)!.vector, together[i]!.vector, `${precision}: text ${i}, reversed, one thread`);
        assertSameBits(one.embedSync(text).vector, together[i]!.vector, `${precision}: text ${i}, alone, one thread`);
        if (i >= 3 && i < 5) assertSameBits(shorter[i - 3]!.vector, together[i]!.vector, `${precision}: text ${i}, two together`);
      }
      one.dispose();
      three.dispose();
    }
  });
}

t.run();
