import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, loadModel } from '../../src/index.js';
import { trainWordPiece } from '../../src/pretraining/index.js';
import { createModel, encoderDecoderFrom, evaluateModel, train } from '../../src/training/index.js';
import { inTemporaryFolder } from '../../src/training/checkpoints/temporary-folder.js';

const place = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url));
const bert = place('golden/tiny/bert-mlm');
const rows = [
  ['a cat', 'one of them'],
  ['the dog runs', 'who knows why'],
  ['one of them', 'it was said'],
  ['it was said', 'the dog'],
  ['who knows why', 'a cat'],
].map(([source, target]) => ({ source, target }));
const size = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64 };
const marian = {
  ...{ model_type: 'marian', d_model: 32, encoder_layers: 2, decoder_layers: 2, encoder_ffn_dim: 64, decoder_ffn_dim: 64 },
  ...{ encoder_attention_heads: 2, decoder_attention_heads: 2, max_position_embeddings: 64, scale_embedding: true },
};

/** English and German, of which a translator learns some. */
const translations = readFileSync(new URL('../../examples/training/data/translations.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
  .map(([source, target]) => ({ source: source!, target: target! }));

/** How a model that is to learn gets into a folder. */
const starts: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  'two encoders': (directory) => encoderDecoderFrom(bert, bert, { directory }),
  'one encoder twice, tied': (directory) => encoderDecoderFrom(bert, bert, { directory, tie: true }),
  'a new pair of two widths': (directory) => {
    const config = { model_type: 'encoder-decoder', encoder: size, decoder: { ...size, hidden_size: 48 } };
    return createModel(directory, { config, tokenizer: bert });
  },
  'a new Marian': (directory) => createModel(directory, { config: marian, tokenizer: place('golden-generation/tiny/marian-separate') }),
};
const golden = ['bert2bert-projected', 'bert2bert-shared', 'roberta2roberta', 'marian-separate', 'bart'];

/** Encoder-decoders that have learned some pairs, saved into `out` with what they write beside them. */
export async function saveWriters(out: string): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    for (const [name, make] of Object.entries(starts)) {
      const start = join(folder, name);
      await make(start);
      await saveWriter(start, join(out, `writer-${name.replace(/\W+/g, '-')}`));
    }
    await saveTranslator(folder, join(out, 'writer-translator'));
    for (const name of golden) await saveWriter(place(`golden-generation/tiny/${name}`), join(out, `writer-${name}`));
  });
}

async function saveWriter(start: string, target: string): Promise<void> {
  const { model } = await train(start, rows, {
    task: 'translation',
    numTrainEpochs: 8,
    perDeviceTrainBatchSize: 2,
    learningRate: 5e-3,
    saveStrategy: 'no',
    outputDir: target,
  });
  model.dispose();
  const loaded = await loadModel(target);
  const settings = { numBeams: 1, maxNewTokens: 8, minLength: null, minNewTokens: null, noRepeatNgramSize: null };
  const inputs = rows.map(({ source }) => loaded.tokenizer.encode(source!));
  const written = (await generate(loaded, inputs, settings)).map(([best]) => ({ ids: Array.from(best!.ids), text: best!.text }));
  const sources = inputs.map(({ ids }) => Array.from(ids));
  loaded.dispose();
  writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: 'AutoModelForSeq2SeqLM', sources, written }));
}

/** A translator that has learned half of what it could, with its BLEU on what it learned and did not, by four beams. */
async function saveTranslator(folder: string, target: string): Promise<void> {
  const [tokenizer, start] = [join(folder, 'words'), join(folder, 'translator')];
  const texts = translations.flatMap((row) => [row.source, row.target]);
  await (await trainWordPiece(texts.values(), { vocabSize: 300, lowercase: false })).save(tokenizer);
  await createModel(start, { config: { model_type: 'encoder-decoder', encoder: size, decoder: size }, tokenizer });
  const half = translations.filter((_, i) => i % 2 === 0);
  const training = { perDeviceTrainBatchSize: 10, numTrainEpochs: 40, learningRate: 2e-3, saveStrategy: 'no' } as const;
  const { model } = await train(start, half, { task: 'translation', ...training, outputDir: target });
  model.dispose();
  const loaded = await loadModel(target);
  const generation = { numBeams: 4, maxNewTokens: 24 };
  const { metrics } = await evaluateModel(loaded, 'translation', translations, { generation });
  const ids = (text: string, addSpecialTokens = true) => Array.from(loaded.tokenizer.encode(text, { addSpecialTokens }).ids);
  const references = translations.map((row) => loaded.tokenizer.decode(ids(row.target, false)));
  const scored = { sources: translations.map((row) => ids(row.source)), references, bleu: metrics['bleu'] };
  loaded.dispose();
  writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: 'AutoModelForSeq2SeqLM', sources: [], written: [], scored }));
}
