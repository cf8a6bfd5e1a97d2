import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  fillMask,
  generate,
  loadEmbedder,
  loadModel,
  recognizeEntities,
  rerank,
  sentenceSimilarity,
  translate,
  type Model,
} from '../../src/index.js';

/** An index into the texts, and how well the text answers. */
interface Ranked {
  readonly index: number;
  readonly score: number;
}

/** What the library itself says of the texts that clients send: what each has to get. Scores and vectors are numbers of JSON. */
export interface Expected {
  /** Names of the models, in the order of `clientModels`. */
  readonly models: readonly string[];
  readonly texts: readonly string[];
  /** The ids of the texts by the tokenizer of `minilm`, special tokens included. */
  readonly ids: readonly (readonly number[])[];
  /** [texts, 384], and the same cut to 64 dimensions. */
  readonly vectors: readonly (readonly number[])[];
  readonly narrow: readonly (readonly number[])[];
  /** Tokens of the texts. */
  readonly tokens: number;
  readonly query: string;
  /** Of the texts by the query: the cosines, and the cross-encoder's scores, the best first. */
  readonly similarities: readonly number[];
  readonly ranking: readonly Ranked[];
  readonly sentence: string;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly entities: readonly object[];
  readonly question: string;
  readonly answer: object;
  readonly masked: string;
  readonly candidates: readonly object[];
  readonly topics: readonly string[];
  readonly chosen: readonly { readonly label: string; readonly score: number }[];
  /** How `writer` goes on with the prompt for `newTokens`: greedily, and drawn by the seeds 7 and 8. */
  readonly prompt: string;
  readonly newTokens: number;
  readonly written: string;
  readonly drawn: readonly string[];
  readonly usage: object;
  /** What `translator` makes of the prompt. */
  readonly translated: string;
}

/** The models that clients are tried on, by the names that they ask for: paths from the root of the checkout. */
export const clientModels = {
  minilm: 'weights/all-MiniLM-L6-v2',
  reranker: 'test/golden/tiny/bert-cross-encoder',
  classifier: 'test/golden/tiny/bert-sequence-classification',
  nli: 'test/golden/tiny/bert-nli',
  entities: 'test/golden/tiny/bert-token-classification',
  answers: 'test/golden/tiny/bert-question-answering',
  masks: 'test/golden/tiny/bert-mlm',
  writer: 'test/golden-generation/tiny/bertgen-lm',
  translator: 'test/golden-generation/tiny/marian-separate',
} as const;

const texts = [
  'The museum opens at nine and closes at half past five.',
  'Cats sleep curled up, for up to sixteen hours a day.',
  'Zoë’s café 🙂 serves crêpes.',
  'Parcels are delivered within three working days.',
] as const;
const query = 'How do cats sleep?';
const sentence = 'Alice moved from Paris to Google in London.';
const question = 'Where did Alice move?';
const masked = 'The capital of France is [MASK].';
const topics = ['travel', 'cooking', 'work'] as const;
const narrowWidth = 64;
const prompt = 'The house is small.';
const newTokens = 8;

/** Computes it; `root` is the checkout. Errors: those of `loadModel`. */
export async function expectedOf(root: string): Promise<Expected> {
  const [vectors, narrow] = await vectorsOf(`${root}/${clientModels.minilm}`);
  return {
    models: Object.keys(clientModels),
    texts,
    vectors: vectors.vectors,
    narrow: narrow.vectors,
    tokens: vectors.tokens,
    ids: vectors.ids,
    query,
    sentence,
    question,
    masked,
    topics,
    prompt,
    newTokens,
    ...(await scoresOf(root)),
    ...(await textsOf(root)),
  };
}

async function vectorsOf(directory: string) {
  const embedder = await loadEmbedder(directory);
  try {
    const ids = texts.map((text) => Array.from(embedder.tokenizer.encode(text).ids));
    const of = async (dimensions?: number) => {
      const found = await embedder.embed(texts, { dimensions });
      return { vectors: found.map(({ vector }) => Array.from(vector)), tokens: found.reduce((sum, { tokens }) => sum + tokens, 0), ids };
    };
    return [await of(), await of(narrowWidth)] as const;
  } finally {
    embedder.dispose();
  }
}

type On = <T>(name: keyof typeof clientModels, work: (model: Model) => Promise<T>) => Promise<T>;

function onModels(root: string): On {
  return async (name, work) => {
    const model = await loadModel(`${root}/${clientModels[name]}`);
    try {
      return await work(model);
    } finally {
      model.dispose();
    }
  };
}

async function textsOf(root: string) {
  const on = onModels(root);
  return on('writer', async (model) => {
    const [greedy] = await generate(model, prompt, { maxNewTokens: newTokens });
    const draw = async (seed: number) =>
      (await generate(model, prompt, { maxNewTokens: newTokens, doSample: true, topK: 0, topP: 0.9, temperature: 0.8, seed }))[0]!.text;
    const { tokens, ids, text } = greedy!;
    return {
      written: text,
      drawn: [await draw(7), await draw(8)],
      usage: { prompt_tokens: tokens, completion_tokens: ids.length, total_tokens: tokens + ids.length },
      translated: (await on('translator', (translator) => translate(translator, prompt, { maxNewTokens: newTokens }))).text,
    };
  });
}

async function scoresOf(root: string) {
  const on = onModels(root);
  const ranked = await on('reranker', (model) => rerank(model, query, texts));
  const { labels } = await on('classifier', (model) => classifyText(model, sentence, { topK: null }));
  const { entities } = await on('entities', (model) => recognizeEntities(model, sentence, { aggregationStrategy: 'simple' }));
  const { answers } = await on('answers', (model) => answerQuestion(model, { question, context: sentence }));
  const { masks } = await on('masks', (model) => fillMask(model, masked, { topK: 2 }));
  const zeroShot = await on('nli', (model) => classifyZeroShot(model, sentence, topics));
  return {
    similarities: await on('minilm', (model) => sentenceSimilarity(model, query, texts)),
    ranking: ranked.map(({ index, score }) => ({ index, score })),
    labels,
    entities: entities.map(({ entityGroup, ...entity }) => ({ entity_group: entityGroup, ...entity })),
    answer: answers[0]!,
    candidates: masks[0]!.candidates.map(({ tokenStr, ...candidate }) => ({ ...candidate, token_str: tokenStr })),
    chosen: zeroShot.labels.map((label, i) => ({ label, score: zeroShot.scores[i]! })),
  };
}
