import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { generate, loadModel, pipeline, summarize, translate } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('pipelines that write');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const texts = ['The house is small.', 'Where is the station?'];

t('translation and summarization give one text for each, under the names of both libraries', async () => {
  using model = await loadModel(folder('marian-separate'));
  const options = { num_beams: 3, max_new_tokens: 8 };
  const expected = await translate(model, texts, { numBeams: 3, maxNewTokens: 8 });
  const translator = await pipeline('translation', model);
  assert.equal(
    (await translator(texts, options)).map(({ translation_text, translationText }) => [translation_text, translationText]),
    expected.map(({ text }) => [text, text]),
  );
  assert.equal(JSON.parse(JSON.stringify(await translator(texts[0]!, options))), [{ translation_text: expected[0]!.text }]);
  const summary = await summarize(model, texts[1]!, { numBeams: 3, maxNewTokens: 8 });
  const summaries = await (await pipeline('summarization', model))(texts[1]!, options);
  assert.equal(
    summaries.map(({ summary_text }) => summary_text),
    [summary.text],
  );
});

t('text2text-generation writes 20 new tokens where nobody says how many', async () => {
  using model = await loadModel(folder('roberta2roberta'));
  const writer = await pipeline('text2text-generation', model);
  const found = await writer(texts, { num_return_sequences: 2, num_beams: 2, min_new_tokens: 19, max_length: null });
  const expected = await generate(model, texts, { numReturnSequences: 2, numBeams: 2, minNewTokens: 19, maxNewTokens: 20 });
  assert.equal(
    found.map(({ generated_text }) => generated_text),
    expected.flat().map(({ text }) => text),
  );
});

t('text-generation puts the input in front, unless it is told not to', async () => {
  using model = await loadModel(folder('bertgen-lm'));
  const writer = await pipeline('text-generation', model);
  const options = { do_sample: true, seed: 7, max_new_tokens: 6 };
  const [expected] = await generate(model, texts[0]!, { doSample: true, seed: 7, maxNewTokens: 6 });
  const { ids, promptIds, text } = expected!;
  const [first] = await writer(texts[0]!, options);
  const whole = first!.generated_text;
  const decode = (list: Int32Array): string => model.tokenizer.decode(list, { skipSpecialTokens: true });
  assert.is(whole, texts[0]! + decode(Int32Array.from([...promptIds, ...ids])).slice(decode(promptIds).length));
  assert.ok(whole.endsWith(text));
  const alone = await writer([texts[0]!], { ...options, return_full_text: false });
  assert.is(alone[0]![0]!.generated_text, text);
});

t('asks for a model that writes, and refuses what cannot be', async () => {
  assert.is((await rejection(() => pipeline('translation'))).code, 'INVALID_ARG');
  assert.is((await rejection(() => pipeline('translation', golden('tiny/bert-mlm')))).code, 'NO_HEAD');
  using model = await loadModel(folder('bertgen-lm'));
  const writer = await pipeline('text-generation', model);
  assert.is((await rejection(() => writer(7 as unknown as string))).code, 'INVALID_ARG');
  assert.is((await rejection(() => writer('a', { return_full_text: 'no' } as never))).code, 'INVALID_OPTION');
  assert.is((await rejection(() => writer('a', { num_beams: 0 }))).code, 'INVALID_OPTION');
});

t.run();
