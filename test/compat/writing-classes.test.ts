import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { GenerationRow } from '../../scripts/golden/generated-texts.js';
import { settingTable } from '../../src/generation/setting-table.js';
import {
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  BartForConditionalGeneration,
  BertGenerationDecoder,
  BertLMHeadModel,
  EncoderDecoderModel,
  generate,
  MarianMTModel,
  pipeline,
  RobertaForCausalLM,
  TextStreamer,
  type GenerateInputs,
  type WritingClass,
  type WritingModel,
} from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('classes that write');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const casesOf = (name: string) => JSON.parse(readFileSync(`${folder(name)}/cases.json`, 'utf8')) as { generation: GenerationRow[] };

async function opened<T>(what: WritingClass, name: string, work: (model: WritingModel) => Promise<T>): Promise<T> {
  const model = await what.from_pretrained(folder(name));
  try {
    return await work(model);
  } finally {
    await model.dispose();
  }
}

/** The rows of a matrix of ids. */
const rowsOf = (ids: { tolist(): unknown }): number[][] => (ids.tolist() as (bigint | number)[][]).map((row) => row.map(Number));

/** What stands in the model's files is left out. */
const neutral = Object.fromEntries(
  Object.values<{ python: string }>(settingTable as never)
    .map(({ python }) => [python, null] as const)
    .filter(([python]) => !python.endsWith('token_id') || python.startsWith('forced')),
);

const classes: readonly (readonly [string, WritingClass, string])[] = [
  ['MarianMTModel', MarianMTModel, 'marian-separate'],
  ['EncoderDecoderModel', EncoderDecoderModel, 'bert2bert-projected'],
  ['EncoderDecoderModel', EncoderDecoderModel, 'roberta2roberta'],
  ['BertGenerationDecoder', BertGenerationDecoder, 'bertgen-lm'],
  ['AutoModelForSeq2SeqLM', AutoModelForSeq2SeqLM, 'bert2bert-shared'],
  ['AutoModelForCausalLM', AutoModelForCausalLM, 'bertgen-lm'],
];

for (const [name, what, directory] of classes) {
  t(`${name}, ${directory}: generate gives the reference's ids for its settings`, () =>
    opened(what, directory, async (model) => {
      const rows = casesOf(directory).generation.filter(
        ({ settings, uniforms, from }) => uniforms === undefined && from === undefined && settings['eos'] === undefined,
      );
      assert.ok(rows.length >= 10);
      for (const { settings, input_ids: source, prompt_ids: prompt, sequences, ids } of rows) {
        const own = source === undefined ? { input_ids: [prompt] } : { input_ids: [source], decoder_input_ids: [prompt] };
        const made = await model.generate({ ...own, ...neutral, ...settings });
        const expected = sequences?.map((each) => each.ids) ?? [ids!];
        assert.equal(
          rowsOf(made).map((row, i) => row.slice(0, expected[i]!.length)),
          expected,
          JSON.stringify(settings),
        );
        assert.equal(made.dims, [expected.length, Math.max(...expected.map(({ length }) => length))]);
      }
    }),
  );
}

t('a padded batch gives each text what it gives alone, filled up with pad', () =>
  opened(MarianMTModel, 'marian-separate', async (model) => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder('marian-separate'));
    const texts = ['The house is small.', 'Where is the station? It rains.'];
    const settings = { num_beams: 3, num_return_sequences: 2, max_new_tokens: 9 };
    const made = await model.generate({ ...tokenizer(texts, { padding: true }), ...settings });
    const alone = await generate(model.model, texts, { numBeams: 3, numReturnSequences: 2, maxNewTokens: 9 });
    const pad = model.config['pad_token_id'] as number;
    const longest = Math.max(...alone.flat().map(({ ids }) => ids.length + 1));
    assert.equal(made.dims, [4, longest]);
    assert.equal(
      rowsOf(made),
      alone.flat().map(({ promptIds, ids }) => Array.from({ length: longest }, (_, i) => [...promptIds, ...ids][i] ?? pad)),
    );
    assert.equal(
      tokenizer.batch_decode(made, { skip_special_tokens: true }),
      alone.flat().map(({ text }) => text),
    );
  }),
);

t('a decoder alone goes on behind the ids it was given, and a generation_config stands behind settings', () =>
  opened(AutoModelForCausalLM, 'bertgen-lm', async (model) => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder('bertgen-lm'));
    const inputs = tokenizer('The house is small.');
    const width = inputs.input_ids.dims[1]!;
    const made = await model.generate({ ...inputs, generation_config: { max_new_tokens: 3, repetition_penalty: 1.5 }, maxNewTokens: 5 });
    assert.equal(rowsOf(made.slice(null, [0, width])), rowsOf(inputs.input_ids));
    const ids = Int32Array.from(rowsOf(inputs.input_ids)[0]!);
    const [expected] = await generate(model.model, { ids }, { maxNewTokens: 5, repetitionPenalty: 1.5 });
    assert.equal(rowsOf(made.slice(null, [width, made.dims[1]!]))[0], [...expected!.ids]);
    const left = tokenizer(['The house is small.', 'It'], { padding: true, padding_side: 'left' });
    const both = await model.generate({ ...left, max_new_tokens: 4 });
    assert.equal(rowsOf(both.slice(null, [0, width])), rowsOf(left.input_ids));
  }),
);

t('the call gives logits, of an encoder-decoder those of decoder_input_ids', async () => {
  await opened(EncoderDecoderModel, 'bert2bert-projected', async (model) => {
    const ids = Int32Array.of(2, 17, 20, 3);
    const begin = Int32Array.of(2, 9);
    const expected = await model.model.forward([{ ids }], { decoderInputIds: [begin] });
    const padded = { input_ids: [[...ids, 0, 0]], attention_mask: [[1, 1, 1, 1, 0, 0]], decoder_input_ids: [[...begin]] };
    const { logits } = await model(padded);
    assert.equal(logits.dims, [1, 2, model.model.values.decoder!.logits!.width]);
    assert.equal(logits.data, expected[0]!.logits!.data);
    assert.is((await rejection(() => model({ input_ids: [[...ids]] }))).code, 'INVALID_ARG');
  });
  await opened(BertGenerationDecoder, 'bertgen-lm', async (model) => {
    const ids = Int32Array.of(16, 71, 91);
    const [expected] = await model.model.forward([{ ids }]);
    const { logits } = await model({ input_ids: [[0, ...ids]], attention_mask: [[0, 1, 1, 1]] });
    const { width } = model.model.values.decoder!.logits!;
    assert.equal(logits.dims, [1, 4, width]);
    assert.equal(logits.data.subarray(width), expected!.logits!.data);
    assert.ok(logits.data.subarray(0, width).every((x) => x === 0));
  });
});

t('BART writes too', () =>
  opened(BartForConditionalGeneration, 'bart', async (model) => {
    const { ids } = model.model.tokenizer.encode('Where is the station?');
    const [expected] = await generate(model.model, { ids }, { maxNewTokens: 6, numBeams: 2 });
    const made = await model.generate({ input_ids: [[...ids]], max_new_tokens: 6, num_beams: 2 });
    assert.equal(rowsOf(made)[0], [...expected!.promptIds, ...expected!.ids]);
  }),
);

t('a streamer hears the text in parts that stay, and the ids one by one', () =>
  opened(AutoModelForCausalLM, 'bertgen-lm', async (model) => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder('bertgen-lm'));
    const inputs = tokenizer('The house');
    const [expected] = await generate(model.model, { ids: Int32Array.from(rowsOf(inputs.input_ids)[0]!) }, { maxNewTokens: 12 });
    for (const skip of [true, false]) {
      let text = '';
      const groups: number[] = [];
      const streamer = new TextStreamer(tokenizer, {
        skip_prompt: skip,
        callback_function: (part) => (text += part),
        tokenCallbackFunction: (ids: bigint[]) => groups.push(ids.length),
      });
      const made = await model.generate({ ...inputs, max_new_tokens: 12, streamer });
      assert.equal(groups, [...(skip ? [] : [inputs.input_ids.dims[1]!]), ...Array.from(expected!.ids, () => 1)]);
      const whole = tokenizer.decode(rowsOf(made)[0]!, { skip_special_tokens: true });
      assert.is(text, skip ? expected!.text : whole);
    }
    const writer = await pipeline('text-generation', model.model);
    let piped = '';
    const streamer = new TextStreamer(writer.tokenizer, { skip_prompt: true, callback_function: (part) => (piped += part) });
    const [found] = await writer('The house', { max_new_tokens: 12, return_full_text: false, streamer });
    assert.is(piped, found!.generated_text);
    const stopped: bigint[] = [];
    const put = (ids: bigint[][]): void => void stopped.push(...ids[0]!);
    const stop = expected!.text.split(' ')[1]!;
    const cut = await model.generate({ ...inputs, max_new_tokens: 12, stop_strings: [stop], streamer: { put, end: () => undefined } });
    assert.equal(stopped.map(Number), rowsOf(cut)[0]);
  }),
);

t('refuses other classes, several texts for a streamer, and what a streamer throws', async () => {
  assert.is((await rejection(() => MarianMTModel.from_pretrained(folder('roberta2roberta')))).code, 'CONFIG_UNSUPPORTED');
  assert.is((await rejection(() => AutoModelForCausalLM.from_pretrained(folder('marian-separate')))).code, 'CONFIG_UNSUPPORTED');
  assert.is((await rejection(() => RobertaForCausalLM.from_pretrained(folder('roberta2roberta')))).code, 'CONFIG_UNSUPPORTED');
  assert.is((await rejection(() => BertLMHeadModel.from_pretrained(golden('tiny/bert-mlm')))).code, 'NO_HEAD');
  await opened(AutoModelForCausalLM, 'bertgen-lm', async (model) => {
    const code = async (inputs: GenerateInputs): Promise<string> => (await rejection(() => model.generate(inputs))).code;
    const streamer = { put: () => undefined, end: () => undefined };
    assert.is(
      await code({
        input_ids: [
          [5, 6],
          [7, 8],
        ],
        streamer,
      }),
      'INVALID_OPTION',
    );
    assert.is(await code({ input_ids: [[5, 6]], num_beams: 2, streamer }), 'INVALID_OPTION');
    assert.is(await code({ input_ids: [[5, 6]], streamer: 7 as never }), 'INVALID_ARG');
    assert.is(await code({}), 'INVALID_ARG');
    assert.is(await code({ input_ids: [[5, 6]], num_beam: 2 }), 'INVALID_OPTION');
    assert.is(await code({ input_ids: [[5, 6]], decoder_input_ids: [[5]] }), 'INVALID_OPTION');
    const error = new Error('the reader broke');
    const put = (): void => {
      throw error;
    };
    const thrown = await model
      .generate({ input_ids: [[5, 6]], max_new_tokens: 4, streamer: { put, end: put } })
      .catch((each: unknown) => each);
    assert.is(thrown, error);
  });
});

t.run();
