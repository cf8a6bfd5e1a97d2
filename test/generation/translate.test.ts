import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { partsOf } from '../../src/generation/sentences.js';
import { generate, loadModel, summarize, translate, type Model } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('translate');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
let model: Model;
t.before(async () => void (model = await loadModel(folder('marian-separate'))));
t.after(() => model.dispose());

const texts = ['  Where is the station? \n\nIt rains.\tShe bought bread! ', '', ' \n ', 'It rains.'];
const options = { maxLength: 14, numBeams: 2 } as const;

t('cuts texts into sentences and white space, from which the text can be put together', () => {
  for (const text of [...texts, '\ufeffbom. x', 'Dr. Smith? 日本語。はい。', 'a\u2029b\u0085c', '\ud800 lone.']) {
    for (const split of ['none', 'sentences'] as const) {
      const parts = partsOf(text, split, 'en');
      assert.is(parts.map(({ before, sentence, after }) => before + sentence + after).join(''), text);
      assert.ok(parts.every(({ sentence }) => sentence === sentence.trim()));
    }
  }
  const sentences = partsOf(texts[0]!, 'sentences', 'en').flatMap(({ sentence }) => (sentence === '' ? [] : [sentence]));
  assert.equal(sentences, ['Where is the station?', 'It rains.', 'She bought bread!']);
});

t('translates sentence by sentence and keeps the white space, one text as it does among others', async () => {
  const all = await translate(model, texts, { ...options, split: 'sentences', sourceLanguage: 'en' });
  for (const [i, text] of texts.entries())
    assert.equal(await translate(model, text, { ...options, split: 'sentences', sourceLanguage: 'en' }), all[i]);
  const { text, sentences } = all[0]!;
  const written = await Promise.all(sentences.map(({ source }) => generate(model, source, options)));
  assert.equal(
    sentences.map((each) => each.text),
    written.map(([best]) => best!.text),
  );
  assert.is(text, `  ${sentences[0]!.text} \n\n${sentences[1]!.text}\t${sentences[2]!.text} `);
  assert.equal([all[1]!.text, all[2]!.text, all[1]!.sentences, all[2]!.sentences], ['', ' \n ', [], []]);
  const [whole] = await generate(model, texts[0]!.trim(), options);
  assert.is((await translate(model, texts[0]!, options)).text, `  ${whole!.text} `);
});

t('says which sentence was longer than the model reads', async () => {
  const long = `${'Where is the station '.repeat(40)}? It rains.`;
  const { sentences, truncated } = await translate(model, long, { ...options, split: 'sentences', sourceLanguage: 'en' });
  assert.equal([truncated, ...sentences.map((each) => each.truncated)], [true, true, false]);
});

t('summarizes as it generates', async () => {
  const [best] = await generate(model, 'It rains.', options);
  assert.equal(await summarize(model, 'It rains.', options), best);
  assert.equal(await summarize(model, ['It rains.'], options), [best]);
});

t('refuses languages, options and models that do not fit', async () => {
  const code = async (call: () => Promise<unknown>): Promise<string> => (await rejection(call)).code;
  assert.is(await code(() => translate(model, 'a', { targetLanguage: 'de' })), 'INVALID_OPTION');
  assert.is(await code(() => translate(model, 'a', { split: 'words' as never })), 'INVALID_OPTION');
  assert.is(await code(() => translate(model, 'a', { split: 'sentences', sourceLanguage: 'no tag' })), 'INVALID_OPTION');
  assert.is(await code(() => translate(model, 'a', { numReturnSequences: 2 } as never)), 'INVALID_OPTION');
  assert.is(await code(() => summarize(model, 'a', { numBeam: 2 } as never)), 'INVALID_OPTION');
  assert.is(await code(() => translate(model, ['a', 3 as never])), 'INVALID_ARG');
  const encoder = await loadModel(golden('tiny', 'bert-relu'));
  assert.is(await code(() => translate(encoder, 'a')), 'NO_HEAD');
  encoder.dispose();
});

t.run();
