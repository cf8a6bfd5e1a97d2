import { Type, type TSchema } from 'typebox';

export const vector = Type.Array(Type.Number());
export const vectors = Type.Array(vector);
/** Of `/embed_sparse`. */
export const sparseVectors = Type.Array(Type.Array(Type.Object({ index: Type.Integer(), value: Type.Number() })));
export const labelScore = Type.Object({ label: Type.String(), score: Type.Number() });

const usage = Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() });

/** Of `/v1/embeddings`. */
export const embeddingList = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({ object: Type.Literal('embedding'), index: Type.Integer(), embedding: Type.Union([vector, Type.String()]) }),
  ),
  model: Type.String(),
  usage,
});

/** Of `/v1/completions`. */
export const completionList = Type.Object({
  id: Type.String(),
  object: Type.Literal('text_completion'),
  created: Type.Integer(),
  model: Type.String(),
  choices: Type.Array(
    Type.Object({ index: Type.Integer(), text: Type.String(), logprobs: Type.Null(), finish_reason: Type.Enum(['stop', 'length']) }),
  ),
  usage: Type.Object({ ...usage.properties, completion_tokens: Type.Integer() }),
});

/** Of `/generate`, and of Hugging Face's text-generation. */
export const generatedText = Type.Object({
  generated_text: Type.String(),
  details: Type.Optional(
    Type.Object({ finish_reason: Type.String(), generated_tokens: Type.Integer(), seed: Type.Union([Type.Integer(), Type.Null()]) }),
  ),
});

/** Of text-embeddings-inference's `/rerank`. */
export const ranks = Type.Array(Type.Object({ index: Type.Integer(), score: Type.Number(), text: Type.Optional(Type.String()) }));

const ranked = (document: TSchema) =>
  Type.Object({ index: Type.Integer(), relevance_score: Type.Number(), document: Type.Optional(document) });

/** Of Cohere's, Jina's, Voyage's and vLLM's rerank. */
export const rankedDocuments = Type.Object({
  id: Type.String(),
  object: Type.Literal('list'),
  model: Type.String(),
  results: Type.Array(ranked(Type.Object({ text: Type.String() }))),
  data: Type.Array(ranked(Type.String())),
  usage: Type.Object({ total_tokens: Type.Integer() }),
  meta: Type.Object({}),
});

/** A model as `/v1/models` lists it. */
export const modelEntry = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer(),
  owned_by: Type.String(),
});

/** Of `/tokenize`: a list a text. */
export const tokenLists = Type.Array(
  Type.Array(
    Type.Object({
      id: Type.Integer(),
      text: Type.String(),
      special: Type.Boolean(),
      start: Type.Union([Type.Integer(), Type.Null()]),
      stop: Type.Union([Type.Integer(), Type.Null()]),
    }),
  ),
);
