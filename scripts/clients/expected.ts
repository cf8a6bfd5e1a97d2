import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  fillMask,
  loadEmbedder,
  loadModel,
  recognizeEntities,
  rerank,
  sentenceSimilarity,
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
    ...(await scoresOf(root)),
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

async function scoresOf(root: string) {
  const on = async <T>(name: keyof typeof clientModels, work: (model: Model) => Promise<T>): Promise<T> => {
    const model = await loadModel(`${root}/${clientModels[name]}`);
    try {
      return await work(model);
    } finally {
      model.dispose();
    }
  };
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
