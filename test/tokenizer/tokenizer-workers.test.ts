import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { Random, randomText } from '../support/tokenizer-strings.js';
import { phrases } from '../support/tokenizer-variants.js';

const t = suite('tokenizer in workers');

const tokenizerJson = readFileSync(new URL('../golden/tiny/bert-mlm/tokenizer.json', import.meta.url), 'utf8');
const source = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};
  register();
  const { createTokenizer } = await import(workerData.index);
  const tokenizer = createTokenizer({ tokenizerJson: workerData.tokenizerJson });
  parentPort.postMessage(workerData.texts.map((text) => tokenizer.encode(text, { offsets: true })).map(({ ids, offsets }) => [ids, offsets]));
`;

t('T18: gives the same in 16 workers at once as here', async () => {
  const random = new Random(5);
  const texts = Array.from({ length: 200 }, () => randomText(random, 20, phrases));
  const tokenizer = createTokenizer({ tokenizerJson });
  const expected = texts.map((text) => tokenizer.encode(text, { offsets: true })).map(({ ids, offsets }) => [ids, offsets]);
  const index = new URL('../../src/architectures/create-tokenizer.ts', import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const results = Array.from({ length: 16 }, () => {
    const worker = new Worker(url, { workerData: { index, tokenizerJson, texts } });
    return new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  for (const received of await Promise.all(results)) assert.equal(received, expected);
});

t.run();
