// A vocabulary and a tiny BERT from raw text alone, in well under a minute: node examples/pretraining/from-raw-text.mjs [FILE] [STEPS]
// Without a file it learns a few small stories by heart.
import { fileURLToPath } from 'node:url';
import { fillMask } from 'bertha-encoder';
import { pretrain, trainWordPiece } from 'bertha-encoder/pretraining';

const corpus = process.argv[2] ?? fileURLToPath(new URL('../training/data/stories.txt', import.meta.url));
const maxSteps = Number(process.argv[3] ?? 600);

const vocabulary = await trainWordPiece(corpus, { vocabSize: 400 });
console.log(`${vocabulary.tokens.length} tokens from ${vocabulary.words.total} words`);

const { model, metrics } = await pretrain({
  corpus,
  evalCorpus: corpus,
  tokenizer: vocabulary,
  config: { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 256, hidden_dropout_prob: 0 },
  objective: 'mlm+nsp',
  maxLength: 32,
  maxSteps,
  perDeviceTrainBatchSize: 16,
  learningRate: 4e-3,
  loggingStrategy: 'no',
  progress: false,
});
console.log(`loss of masked words ${metrics.eval_mlm_loss.toFixed(2)}, of a guess ${Math.log(vocabulary.tokens.length).toFixed(2)}`);

const { masks } = await fillMask(model, 'She gave them [MASK] every morning.', { topK: 3 });
console.log(masks[0].candidates.map(({ tokenStr, score }) => `${tokenStr} ${score.toFixed(2)}`).join(', '));
model.dispose();
