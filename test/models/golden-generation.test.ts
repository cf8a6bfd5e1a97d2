// Models that write, their decoders on given ids, against float64 reference values; and what calls of them answer.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { compareFolder, kTolerance } from '../../scripts/golden/compare.js';
import { findGoldenFolders, readCases } from '../../scripts/golden/files.js';
import type { GenerationCases } from '../../scripts/golden/generation.js';
import { embedderOf, fillMask, inspectModel, loadEmbedder, loadModel, quantizeModel } from '../../src/index.js';
import { assertSameBits, assertWithin } from '../support/compare.js';
import { rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';
import { suite } from '../support/suite.js';

const t = suite(`golden generation ${instructionSet}`);
const root = fileURLToPath(new URL('../golden-generation/', import.meta.url));
const folderOf = (name: string): string => `${root}tiny/${name}`;

const folders = findGoldenFolders(root).filter(({ kind }) => kind === 'generation');
for (const folder of folders) {
  t(`${folder.name} matches its float64 reference values`, async () => {
    const report = await compareFolder(folder, { tolerance: kTolerance });
    assert.is(report.verdict, 'ok', report.toString());
  });
}

const bert2bert = folderOf('bert2bert-shared');
const { cases } = readCases<GenerationCases>(bert2bert);
const texts = cases.map(({ input_ids: ids }) => ({ ids: Int32Array.from(ids!) }));
const targets = cases.map((each) => Int32Array.from(each.decoder_input_ids));

t('a text is the same to the bit alone and among others, and with less of what its decoder reads', async () => {
  using model = await loadModel(bert2bert);
  const together = await model.forward(texts, { decoderInputIds: targets, hiddenStates: true, attentions: true, crossAttentions: true });
  for (const [i, text] of texts.entries()) {
    const alone = await model.forward(text, { decoderInputIds: targets[i]!, crossAttentions: true });
    assert.equal(alone.logits!.dims, [targets[i]!.length, 110]);
    assertSameBits(alone.logits!.data, together[i]!.logits!.data, `logits ${i}`);
    alone.crossAttentions!.forEach(({ data, dims }, layer) => {
      assert.equal(dims, [4, targets[i]!.length, text.ids.length]);
      assertSameBits(data, together[i]!.crossAttentions![layer]!.data, `cross-attention ${i} ${layer}`);
    });
    const shorter = await model.forward(text, { decoderInputIds: targets[i]!.subarray(0, 3) });
    assertWithin(shorter.logits!.data, together[i]!.logits!.data.subarray(0, 3 * 110), 2e-6, 'the first three ids');
  }
});

t('without ids for the decoder the encoder runs alone', async () => {
  using model = await loadModel(bert2bert);
  const [both] = await model.forward(texts, { decoderInputIds: targets });
  const alone = await model.forward(texts[0]!, { hiddenStates: true });
  assert.equal(Object.keys(alone), ['lastHiddenState', 'hiddenStates']);
  assertSameBits(alone.lastHiddenState.data, both!.lastHiddenState.data, 'last hidden state');
});

t('what a decoder cannot read is refused', async () => {
  using model = await loadModel(bert2bert);
  const [text] = texts;
  const refused = async (options: object, input: unknown = text): Promise<string> => {
    const { code, message } = await rejection(() => model.forward(input as typeof text & object, options));
    return `${code} ${message}`;
  };
  assert.match(await refused({ decoderInputIds: [1, 2] }), /^INVALID_IDS.*Int32Array/);
  assert.match(await refused({ decoderInputIds: new Int32Array(0) }), /^INVALID_IDS.*1 to 48 ids.*text 0/);
  assert.match(await refused({ decoderInputIds: new Int32Array(49) }), /^MAX_LENGTH.*1 to 48 ids.*49/);
  assert.match(await refused({ decoderInputIds: Int32Array.of(2, 110) }), /^INVALID_IDS.*0\.\.109.*110/);
  assert.match(await refused({ decoderInputIds: Int32Array.of(-1) }), /^INVALID_IDS/);
  assert.match(await refused({ decoderInputIds: [targets[0]] }), /^INVALID_IDS.*an Int32Array/);
  assert.match(await refused({ decoderInputIds: [targets[0]] }, texts), /^INVALID_IDS.*3 lists.*1 lists/);
  assert.match(await refused({ crossAttentions: true }), /^INVALID_OPTION.*decoderInputIds beside crossAttentions/);
  using encoder = await loadModel(bert2bert, { heads: false });
  const error = await rejection(() => encoder.forward(text!, { decoderInputIds: targets[0] }));
  assert.is(error.code, 'INVALID_OPTION', error.message);
});

t("vectors of an encoder-decoder are its encoder's", async () => {
  using embedder = await loadEmbedder(bert2bert);
  using model = await loadModel(bert2bert);
  const { vector } = await embedder.embed('It rains.', { normalize: false });
  const { data, dims } = (await model.forward(model.tokenizer.encode('It rains.'))).lastHiddenState;
  const mean = Float32Array.from({ length: dims[1]! }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < dims[0]!; row++) sum += data[row * dims[1]! + i]!;
    return sum / dims[0]!;
  });
  assertWithin(vector, mean, 1e-6, 'mean');
  assertSameBits((await embedderOf(model).embed('It rains.', { normalize: false })).vector, vector, 'a loaded model');
});

t('tasks of encoders answer that the model writes', async () => {
  using model = await loadModel(bert2bert);
  const error = await rejection(() => fillMask(model, 'It [MASK].'));
  assert.is(error.code, 'NO_HEAD');
  assert.match(error.message, /EncoderDecoderModel with a decoder, which writes text.*generate/);
  const quantized = await rejection(() => quantizeModel(bert2bert, temporaryFolder(), { dtype: 'int8' }));
  assert.is(quantized.code, 'CONFIG_UNSUPPORTED');
});

t('inspect shows both halves', async () => {
  const { config, loadable } = await inspectModel(folderOf('bert2bert-projected'));
  assert.ok(loadable);
  assert.equal([config!.modelType, config!.hiddenSize, config!.decoder!.modelType, config!.decoder!.hiddenSize], ['bert', 24, 'bert', 21]);
});

t.run();
