// What config.json of the families says beyond BERT's, and what is refused of it by name.
import * as assert from 'uvu/assert';
import { parseConfig, type ModelConfig } from '../../src/architectures/config.js';
import { rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('config.json of the families');

const parse = (fields: Readonly<Record<string, unknown>>): ModelConfig => parseConfig(JSON.stringify(fields));

/** The fields must be refused with this code, the message naming `what`. */
async function refuses(code: string, what: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const error = await rejection(async () => parse(fields));
  assert.is(error.code, code, error.message);
  assert.ok(error.message.includes(what), error.message);
}

for (const type of ['roberta', 'xlm-roberta', 'camembert']) {
  t(`${type} counts positions from behind pad_token_id`, async () => {
    const sizes = ({ positionOffset, uncountedId, maxSequenceLength }: ModelConfig) => [positionOffset, uncountedId, maxSequenceLength];
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 514 })), [2, 1, 512]);
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 8194, pad_token_id: 1 })), [2, 1, 8192]);
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 40, pad_token_id: 0 })), [1, 0, 39]);
    await refuses('CONFIG', '"pad_token_id"', { model_type: type, pad_token_id: null });
    await refuses('CONFIG', '"pad_token_id"', { model_type: type, pad_token_id: 50265 });
    await refuses('CONFIG', '"max_position_embeddings"', { model_type: type, max_position_embeddings: 2 });
    await refuses('CONFIG_UNSUPPORTED', '"is_decoder"', { model_type: type, is_decoder: true });
    await refuses('CONFIG_UNSUPPORTED', '"position_embedding_type"', { model_type: type, position_embedding_type: 'alibi' });
    await refuses('CONFIG', '"type_vocab_size"', { model_type: type, type_vocab_size: 0 });
  });
}

t('albert has the defaults of its class, and groups that are no more than its layers', async () => {
  const { hiddenSize, numHeads, intermediateSize, embeddingSize, hiddenAct, vocabSize } = parse({ model_type: 'albert' });
  assert.equal([hiddenSize, numHeads, intermediateSize, embeddingSize, hiddenAct, vocabSize], [4096, 64, 16384, 128, 'gelu_tanh', 30000]);
  await refuses('CONFIG', '"num_hidden_groups"', { model_type: 'albert', num_hidden_layers: 4, num_hidden_groups: 5 });
  await refuses('CONFIG', '"inner_group_num"', { model_type: 'albert', inner_group_num: 0 });
});

t.run();
