// One-line uses of transformers.js as its README, guides and API pages, and model cards write them, run here word for word: ids lead to
// small models in a local folder. Beside each line the shape of what it gives there.
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import * as assert from 'uvu/assert';
import * as bertha from '../../src/index.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('compat one-liners');

const MODELS = {
  'Xenova/all-MiniLM-L6-v2': 'tiny/bert-gelu-new',
  'onnx-community/all-MiniLM-L6-v2-ONNX': 'tiny/bert-gelu-new',
  'mixedbread-ai/mxbai-embed-xsmall-v1': 'tiny/bert-gelu-new',
  'Xenova/bge-small-en-v1.5': 'tiny/bert-gelu-new',
  'Xenova/bert-base-uncased': 'tiny/bert-pretraining',
  'Xenova/bert-base-cased': 'tiny/bert-mlm',
  'Xenova/distilbert-base-uncased-finetuned-sst-2-english': 'tiny/distilbert-sequence-classification',
  'Xenova/bert-base-multilingual-uncased-sentiment': 'tiny/bert-sequence-classification',
  'Xenova/toxic-bert': 'tiny/bert-multi-label',
  'Xenova/bert-base-NER': 'tiny/bert-token-classification',
  'Xenova/distilbert-base-uncased-distilled-squad': 'tiny/distilbert-question-answering',
  'Xenova/mobilebert-uncased-mnli': 'tiny/bert-nli',
  'Xenova/ms-marco-MiniLM-L-6-v2': 'tiny/bert-cross-encoder',
  'mixedbread-ai/mxbai-rerank-xsmall-v1': 'tiny/bert-cross-encoder',
} as const;

/** Names that the lines use; each is made once, by its own line. */
const NAMES: Readonly<Record<string, string>> = {
  extractor: "await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2')",
  classifier: "await pipeline('sentiment-analysis', 'Xenova/distilbert-base-uncased-finetuned-sst-2-english')",
  stars: "await pipeline('sentiment-analysis', 'Xenova/bert-base-multilingual-uncased-sentiment')",
  moderator: "await pipeline('text-classification', 'Xenova/toxic-bert')",
  zeroShot: "await pipeline('zero-shot-classification', 'Xenova/mobilebert-uncased-mnli')",
  ner: "await pipeline('token-classification', 'Xenova/bert-base-NER')",
  unmasker: "await pipeline('fill-mask', 'Xenova/bert-base-cased')",
  answerer: "await pipeline('question-answering', 'Xenova/distilbert-base-uncased-distilled-squad')",
  tokenizer: "await AutoTokenizer.from_pretrained('Xenova/bert-base-uncased')",
  model: "await AutoModel.from_pretrained('Xenova/bert-base-uncased')",
  maskedModel: "await BertForMaskedLM.from_pretrained('Xenova/bert-base-uncased')",
  reranker: "await AutoModelForSequenceClassification.from_pretrained('mixedbread-ai/mxbai-rerank-xsmall-v1')",
  rerankerTokenizer: "await AutoTokenizer.from_pretrained('mixedbread-ai/mxbai-rerank-xsmall-v1')",
  texts: "['This is a simple test.', 'Rain.', 'The children played in the garden.']",
  query: '\'Who wrote "To Kill a Mockingbird"?\'',
  documents: "['It was written by Harper Lee.', 'Moby-Dick is a book.']",
  question: "'Who was Jim Henson?'",
  context: "'Jim Henson was a nice puppet.'",
  labels: "['mobile', 'billing', 'website']",
  inputs: 'tokenizer(texts, { padding: true, truncation: true })',
  outputs: 'await model(inputs)',
  embeddings: "await extractor(texts, { pooling: 'mean', normalize: true })",
  tensor: "new Tensor('float32', [1, 2, 3, 4, 5, 6], [2, 3])",
};

const kLabel = '{label: string, score: number}';
const kEntity = '{end: number, entity: string, index: number, score: number, start: number, word: string}';
const kMask = '{score: number, sequence: string, token: number, token_str: string}';
const kAnswer = '{answer: string, end: number, score: number, start: number}';
const kBatch = '{attention_mask: int32[3,12], input_ids: int32[3,12], token_type_ids: int32[3,12]}';

const LINES: readonly (readonly [line: string, shape: string])[] = [
  // README and API pages: pipelines
  ["(await pipeline('sentiment-analysis', 'Xenova/bert-base-multilingual-uncased-sentiment')).task", 'string'],
  ["await pipeline('sentiment-analysis', 'Xenova/distilbert-base-uncased-finetuned-sst-2-english', { dtype: 'q4' })", 'function'],
  ["await pipeline('sentiment-analysis', 'Xenova/distilbert-base-uncased-finetuned-sst-2-english', { device: 'webgpu' })", 'function'],
  ["await pipeline('feature-extraction', 'mixedbread-ai/mxbai-embed-xsmall-v1', { dtype: 'fp32', device: 'cpu' })", 'function'],
  ["await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2', { quantized: false })", 'function'],
  ["await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2', { revision: 'main', session_options: {} })", 'function'],
  [
    "await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2', { progress_callback: (x) => x.status, local_files_only: true })",
    'function',
  ],
  ["await classifier('I love transformers!')", `1*${kLabel}`],
  ["await classifier(['I love transformers!', 'I hate transformers!'])", `2*${kLabel}`],
  ["(await classifier('I love transformers!'))[0].label", 'string'],
  ["await classifier('I love transformers!', { topk: 2 })", `2*${kLabel}`],
  ["await classifier('I love transformers!', { topK: null })", `2*${kLabel}`],
  ["await classifier(['I love transformers!', 'No.'], { top_k: null })", `2*2*${kLabel}`],
  ["await stars('Le meilleur film de tous les temps.', { top_k: 5 })", `3*${kLabel}`],
  ["await moderator('I hate you!', { top_k: null })", `4*${kLabel}`],
  ['classifier.model.config.id2label[0]', 'string'],
  ["classifier.tokenizer('I love transformers!').input_ids.dims.length", 'number'],
  ["await zeroShot('It rains.', labels)", '{labels: 3*string, scores: 3*number, sequence: string}'],
  ["await zeroShot(['It rains.', 'It was.'], labels, { multi_label: true })", '2*{labels: 3*string, scores: 3*number, sequence: string}'],
  [
    "await zeroShot('It rains.', 'mobile', { hypothesis_template: 'This text is about {}.' })",
    '{labels: 1*string, scores: 1*number, sequence: string}',
  ],
  ["(await ner('My name is Sarah and I live in London', { ignore_labels: [] }))[0]", kEntity],
  ["(await ner('My name is Sarah and I live in London', { aggregation_strategy: 'simple' }))[0].entity_group", 'string'],
  ["(await ner(['Sarah lives in London', 'No.'], { ignore_labels: ['O'] })).length", 'number'],
  ["await unmasker('The goal of life is [MASK].')", `5*${kMask}`],
  ["await unmasker('The Milky Way is a [MASK] galaxy.', { top_k: 1 })", `1*${kMask}`],
  ["await unmasker(['The [MASK].', 'A [MASK].'], { topk: 2 })", `2*2*${kMask}`],
  ['await unmasker(`The ${unmasker.tokenizer.mask_token}.`, { top_k: 3 })', `3*${kMask}`],
  ['await answerer(question, context)', kAnswer],
  ['await answerer(question, context, { top_k: 3 })', `3*${kAnswer}`],
  ['await answerer([question, question], [context, context])', `2*${kAnswer}`],
  ['await answerer({ question, context })', kAnswer],
  // README, API pages and model cards: embeddings
  ["await extractor('This is a simple test.')", 'float32[1,11,32]'],
  ["await extractor('This is a simple test.', { pooling: 'mean', normalize: true })", 'float32[1,32]'],
  ["await extractor(texts, { pooling: 'cls' })", 'float32[3,32]'],
  ["await extractor(texts, { pooling: 'last_token' })", 'float32[3,32]'],
  ["await extractor('This is a simple test.', { pooling: 'mean', quantize: true, precision: 'binary' })", 'int8[1,4]'],
  ["await extractor('This is a simple test.', { pooling: 'mean', quantize: true, precision: 'ubinary' })", 'uint8[1,4]'],
  ['embeddings.tolist()', '3*32*number'],
  ['embeddings[0].tolist()', '32*number'],
  ['Array.from(embeddings.data)', '96*number'],
  ['cos_sim(embeddings[0].data, embeddings[1].data)', 'number'],
  ['dot(embeddings.tolist()[0], embeddings.tolist()[1])', 'number'],
  ['embeddings.tolist().slice(1).map((x) => cos_sim(embeddings.tolist()[0], x))', '2*number'],
  ['await matmul(embeddings, embeddings.transpose(1, 0))', 'float32[3,3]'],
  ['(await matmul(embeddings.slice([0, 1]), embeddings.slice([1, null]).transpose(1, 0))).mul(100).tolist()[0]', '2*number'],
  ["quantize_embeddings(embeddings, 'binary')", 'int8[3,4]'],
  ['layer_norm(embeddings, [embeddings.dims[1]]).slice(null, [0, 16]).normalize(2, -1)', 'float32[3,16]'],
  ['embeddings.slice(null, [0, 16]).normalize()', 'float32[3,16]'],
  ['[...embeddings].map((row) => row.dims)', '3*1*number'],
  ['mean_pooling(outputs.last_hidden_state, inputs.attention_mask).normalize(2, -1)', 'float32[3,40]'],
  ['outputs.last_hidden_state.mean(1)', 'float32[3,40]'],
  ['outputs.last_hidden_state.slice(null, 0)', 'float32[3,40]'],
  // API pages: tokenizers
  ["await tokenizer('I love transformers!')", '{attention_mask: int32[1,12], input_ids: int32[1,12], token_type_ids: int32[1,12]}'],
  ['tokenizer(texts, { padding: true, truncation: true })', kBatch],
  ["tokenizer(texts, { padding: 'max_length', max_length: 12, truncation: true })", kBatch],
  ["tokenizer('Hello', { return_tensor: false })", '{attention_mask: 3*number, input_ids: 3*number, token_type_ids: 3*number}'],
  ["tokenizer(['Hello', 'Hello'], { return_tensor: false }).input_ids", '2*3*number'],
  ["tokenizer('Hello', { text_pair: 'World', add_special_tokens: false }).input_ids.tolist()", '1*2*number'],
  ["tokenizer.encode('Hello')", '3*number'],
  ["tokenizer.tokenize('Hello World')", '2*string'],
  ["tokenizer.decode(tokenizer.encode('Hello World'), { skip_special_tokens: true })", 'string'],
  ['tokenizer.decode(inputs.input_ids[0], { skip_special_tokens: true })', 'string'],
  ['tokenizer.batch_decode(inputs.input_ids, { skip_special_tokens: true })', '3*string'],
  ["tokenizer.convert_tokens_to_ids(['[MASK]'])", '1*number'],
  ['[tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id, tokenizer.mask_token_id]', '4*number'],
  ['tokenizer.all_special_ids', '5*number'],
  ['tokenizer.model_max_length', 'number'],
  ["(await AutoTokenizer.from_pretrained('Xenova/bert-base-uncased')).padding_side", 'string'],
  // API pages and model cards: models
  ['await model(inputs)', '{last_hidden_state: float32[3,12,40], pooler_output: float32[3,40]}'],
  ["(await model(await tokenizer('I love transformers!'))).last_hidden_state.dims", '3*number'],
  ["(await maskedModel(tokenizer('The [MASK].'))).logits.dims.length", 'number'],
  ['(await maskedModel(inputs)).logits[0][1].argmax().item()', 'number'],
  ["(await BertModel.from_pretrained('Xenova/bert-base-uncased', { dtype: 'q8' })).config.model_type", 'string'],
  ["(await AutoConfig.from_pretrained('Xenova/bert-base-uncased')).hidden_size", 'number'],
  [
    'rerankerTokenizer(new Array(documents.length).fill(query), { text_pair: documents, padding: true, truncation: true }).input_ids.dims.length',
    'number',
  ],
  [
    '(await reranker(rerankerTokenizer([query, query], { text_pair: documents, padding: true, truncation: true }))).logits.sigmoid().tolist()',
    '2*1*number',
  ],
  [
    '(await reranker(rerankerTokenizer([query, query], { text_pair: documents, padding: true }))).logits.squeeze().softmax().tolist().length',
    'number',
  ],
  // API pages: tensors and maths
  ["new Tensor('int64', [1n, 2n], [2]).tolist()", '2*bigint'],
  ['tensor.tolist()', '2*3*number'],
  ['tensor.slice([0, 1], [1, -1]).dims', '2*number'],
  ['tensor.permute(1, 0)', 'float32[3,2]'],
  ['tensor.unsqueeze(0).squeeze(0).view(-1).sum().item()', 'number'],
  ["tensor.to('int32').max().item()", 'number'],
  ['cat([tensor, tensor], 0)', 'float32[4,3]'],
  ['stack([tensor, tensor]).mean(-1)', 'float32[2,2]'],
  ['await topk(tensor, 2)', '[float32[2,2], int32[2,2]]'],
  ['std_mean(tensor, 1)', '2*float32[2]'],
  ['ones_like(inputs.input_ids)', 'int64[3,12]'],
  ['softmax([1, 2, 3])', '3*number'],
  ['log_softmax([1, 2, 3])', '3*number'],
  // Guides: settings
  ["(env.localModelPath = env.localModelPath + '')", 'string'],
  ['(env.allowRemoteModels = false)', 'boolean'],
  ["(env.backends.onnx.wasm.wasmPaths = '/path/to/files/')", 'string'],
  ['(env.backends.onnx.wasm.numThreads = 1)', 'number'],
  ['(env.useBrowserCache = false)', 'boolean'],
  ['(env.logLevel = LogLevel.ERROR)', 'number'],
  ['await classifier.dispose()', 'undefined'],
];

/** Lines that ask encoders for what they do not do: errors with a code. */
const REFUSED: readonly (readonly [line: string, code: string])[] = [
  ["await pipeline('image-classification', 'Xenova/vit-base-patch16-224')", 'INVALID_OPTION'],
  ["await pipeline('object-detection', 'Xenova/detr-resnet-50')", 'INVALID_OPTION'],
  ["await pipeline('translation_en_to_fr', 'Xenova/t5-small')", 'INVALID_OPTION'],
  ["await pipeline('automatic-speech-recognition', 'Xenova/whisper-tiny.en')", 'INVALID_OPTION'],
  ["tokenizer.apply_chat_template([{ role: 'user', content: 'Hello' }], { tokenize: false })", 'INVALID_ARG'],
  ["await pipeline('fill-mask', 'Xenova/all-MiniLM-L6-v2')", 'NO_HEAD'],
];

type Evaluate = (...values: readonly unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => undefined).constructor as new (...parts: readonly string[]) => Evaluate;
const scope: Record<string, unknown> = { ...bertha };

async function evaluate(line: string): Promise<unknown> {
  for (const [name, source] of Object.entries(NAMES)) {
    if (!Object.hasOwn(scope, name) && new RegExp(`\\b${name}\\b`).test(line)) scope[name] = await evaluate(source);
  }
  return new AsyncFunction(...Object.keys(scope), `'use strict'; return ${line};`)(...Object.values(scope));
}

function shapeOf(value: unknown): string {
  if (value instanceof bertha.Tensor) return `${value.type}[${value.dims.join(',')}]`;
  if (Array.isArray(value)) {
    const shapes = value.map(shapeOf);
    return new Set(shapes).size === 1 ? `${shapes.length}*${shapes[0]}` : `[${shapes.join(', ')}]`;
  }
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const entries = Object.entries(value).map(([key, each]) => `${key}: ${shapeOf(each)}`);
  return `{${entries.sort().join(', ')}}`;
}

t.before(() => {
  const folder = temporaryFolder();
  for (const [id, source] of Object.entries(MODELS)) {
    mkdirSync(path.dirname(path.join(folder, id)), { recursive: true });
    symlinkSync(golden(source), path.join(folder, id));
  }
  bertha.env.localModelPath = folder;
});

for (const [line, shape] of LINES) t(line, async () => assert.is(shapeOf(await evaluate(line)), shape));

for (const [line, code] of REFUSED) {
  t(`${line} is ${code}`, async () => {
    const error: unknown = await evaluate(line).catch((reason: unknown) => reason);
    assert.ok(error instanceof bertha.BerthaError, String(error));
    assert.is(error.code, code);
  });
}

t.run();
