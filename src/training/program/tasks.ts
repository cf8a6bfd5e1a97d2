import type { Heads } from '../../architectures/heads.js';
import type { ProblemType } from '../../checkpoint/labels.js';

/** What a model can learn, each for a head of transformers or for sentence vectors. */
export const trainingTasks = [
  'text-classification',
  'cross-encoder',
  'token-classification',
  'question-answering',
  'multiple-choice',
  'next-sentence-prediction',
  'fill-mask',
  'pretraining',
  'replaced-token',
  'sentence-embedding',
  'seq2seq',
  'causal-lm',
] as const;

/**
 * What a model learns. 'pretraining' is masked words and next sentences together; 'seq2seq' the next word of a target behind its source, by an
 * encoder-decoder; 'causal-lm' the next word of a text, by a decoder alone.
 */
export type TrainingTask = (typeof trainingTasks)[number];

/** The heads of a task, the one that gives its predictions first; none for sentence vectors and models that write. */
export const headsOfTask: Readonly<Record<TrainingTask, readonly (keyof Heads)[]>> = {
  'text-classification': ['sequenceClassification'],
  'cross-encoder': ['sequenceClassification'],
  'token-classification': ['tokenClassification'],
  'question-answering': ['questionAnswering'],
  'multiple-choice': ['multipleChoice'],
  'next-sentence-prediction': ['nextSentence'],
  'fill-mask': ['maskedLm'],
  pretraining: ['maskedLm', 'nextSentence'],
  'replaced-token': ['replacedToken'],
  'sentence-embedding': [],
  seq2seq: [],
  'causal-lm': [],
};

/** What a loss reads of a micro-batch, and what its `numItems` counts. */
export interface LossInput {
  readonly loss: string;
  /** Fields of the micro-batch. */
  readonly inputs: readonly string[];
  /** Rows with a label, pairs or groups of texts. Of answers: half for each end that is in the text. */
  readonly counts: 'sequences' | 'tokens' | 'target' | 'selected' | 'groups' | 'answers';
}

/** A loss over the vectors of anchors, positives and so on: a micro-batch holds all anchors, then all positives, then hard negatives. */
export type SentenceLoss =
  | { readonly loss: 'multiple-negatives-ranking'; readonly columns?: number; readonly scale?: number }
  | { readonly loss: 'cosine-similarity' }
  | { readonly loss: 'cosent'; readonly scale?: number }
  | { readonly loss: 'triplet'; readonly margin?: number }
  /** Of each text's vector, or its first `dimensions` numbers, to those that a teacher gives it. */
  | { readonly loss: 'mean-squared-error'; readonly dimensions?: number };

/** What of a teacher a model learns from, beside logits: mean squared errors to numbers that come with each batch. */
export interface TeacherLosses {
  /** Of sentence vectors, in place of a sentence loss: input `teacher` [sequences, width]. */
  readonly embeddings?: boolean | undefined;
  /** Of states of tokens: state i (0: the embeddings, then the layers) reads input `teacherState{i}` [tokens, hidden]. */
  readonly states?: readonly { readonly state: number; readonly weight: number }[] | undefined;
}

/** What a model is to learn, and how. */
export interface TrainingTaskOptions {
  readonly task: TrainingTask;
  /** Names of the labels, for heads with labels; without them as many as `numLabels`, and without both what config.json says. */
  readonly labels?: readonly string[] | undefined;
  readonly numLabels?: number | undefined;
  /** Of a sequence classifier; see `problemTypeOf`. */
  readonly problemType?: ProblemType | undefined;
  /** Whether the labels of the data are whole numbers, for a problem type that nothing names. */
  readonly labelKind?: 'integers' | 'numbers' | undefined;
  readonly labelSmoothing?: number | undefined;
  /** A factor for the loss of each label. */
  readonly classWeights?: readonly number[] | undefined;
  /** Neighbouring sequences that are the choices of one question. */
  readonly numChoices?: number | undefined;
  /** Learn from the logits of a teacher too, input `teacher`: alpha · cross entropy + (1 - alpha) · T² · KL; numbers by the task's own loss, without T. */
  readonly distillation?: { readonly alpha: number; readonly temperature: number } | undefined;
  /** Learn from other values of a teacher too. */
  readonly teacher?: TeacherLosses | undefined;
  readonly sentenceLoss?: SentenceLoss | undefined;
  /** Compute a batch of a sentence loss in parts of as many texts (GradCache). */
  readonly miniBatchSize?: number | undefined;
  /** Numbers of leading dimensions on which the sentence loss is computed too, and their weights (1). */
  readonly matryoshka?: { readonly dims: readonly number[]; readonly weights?: readonly number[] } | undefined;
}
