/** Widely used models of the Hub that do a task, by the task's name in transformers. All of them are read from safetensors. */
export const exampleModels: Readonly<Record<string, string>> = {
  'fill-mask': 'google-bert/bert-base-uncased',
  'next-sentence-prediction': 'google-bert/bert-base-uncased',
  'text-classification': 'distilbert/distilbert-base-uncased-finetuned-sst-2-english',
  'zero-shot-classification': 'typeform/distilbert-base-uncased-mnli',
  'token-classification': 'dslim/bert-base-NER',
  'question-answering': 'distilbert/distilbert-base-cased-distilled-squad',
  rerank: 'cross-encoder/ms-marco-MiniLM-L6-v2',
};
