import type { ProgressEvent } from '../../hub/index.js';
import type { GenerateOptions } from '../../generation/generate.js';
import type { SummarizeOptions, TranslateOptions } from '../../generation/translate.js';
import type { Model } from '../../models/index.js';
import type { Answer, AnswerOptions, QuestionInput } from '../../tasks/answer-question.js';
import type { ClassifyOptions, LabelScore } from '../../tasks/classify.js';
import type { Entity } from '../../tasks/spans/entities.js';
import type { FeatureOptions } from '../../tasks/extract-features.js';
import type { FillMaskOptions, MaskCandidate } from '../../tasks/fill-mask.js';
import type { EntityOptions } from '../../tasks/recognize-entities.js';
import type { ReplacedToken } from '../../tasks/replaced-tokens.js';
import type { RankedDocument, RerankOptions } from '../../tasks/rerank.js';
import type { TextInput, TextPair } from '../../calls/inputs.js';
import type { TaskOptions } from '../../calls/options.js';
import type { ZeroShotOptions } from '../../tasks/zero-shot.js';
import type { PretrainedOptions } from '../loading/options.js';
import type { Snake, WithCamelCase } from '../snake-case.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Streamer } from '../models/streamer.js';
import type { PreTrainedTokenizer } from '../tokenizer/index.js';

/** One, or a list. */
export type OneOrMany<T> = T | readonly T[];

/** A text, or a pair as transformers spells it. */
export type PairInput = TextInput | Snake<TextPair>;

/** Options under their names in Python or in camel case, and transformers.js's former `topk`. */
export type PipelineCallOptions<T> = T & Snake<T> & { readonly topk?: T extends { readonly topK?: infer K } ? K : never };

/** A result with the keys of transformers.js, which are read in camel case too; JSON and spreading do not see those. */
export type PipelineResult<T> = WithCamelCase<Snake<T>>;

/** Options of the pipeline `feature-extraction`. */
export interface FeaturePipelineOptions extends FeatureOptions {
  /** One bit a number, eight to a byte. Default false. */
  readonly quantize?: boolean | undefined;
  /** With `quantize`: `binary` (default) is int8, `ubinary` uint8. */
  readonly precision?: 'binary' | 'ubinary' | undefined;
}

/** What every pipeline has besides being a function. */
export interface PipelineBase {
  readonly task: TaskName;
  readonly model: Model;
  /** The model's tokenizer, called as in transformers.js; Bertha's own is its `tokenizer`. */
  readonly tokenizer: PreTrainedTokenizer;
  /** Gives the model's memory back, if the pipeline loaded it; a model that was handed in stays. */
  dispose(): Promise<void>;
  /** `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The call of each pipeline: options and results as transformers.js names them. */
export interface PipelineCalls {
  /** Per text its candidates; with several masks a list a mask. */
  'fill-mask': {
    (
      text: PairInput,
      options?: PipelineCallOptions<FillMaskOptions>,
    ): Promise<PipelineResult<MaskCandidate>[] | PipelineResult<MaskCandidate>[][]>;
    (
      texts: readonly PairInput[],
      options?: PipelineCallOptions<FillMaskOptions>,
    ): Promise<(PipelineResult<MaskCandidate>[] | PipelineResult<MaskCandidate>[][])[]>;
  };
  /** How likely the second text follows the first. */
  'next-sentence-prediction': (text: string, textPair: string, options?: PipelineCallOptions<TaskOptions>) => Promise<NextSentenceOutput>;
  /** With `top_k` 1 (default) one label a text, side by side; otherwise a list of labels, for a list of texts a list of lists. */
  'text-classification': (
    texts: OneOrMany<PairInput>,
    options?: PipelineCallOptions<ClassifyOptions>,
  ) => Promise<LabelScore[] | LabelScore[][]>;
  /** Labels that the model was not trained for, each judged as a sentence of its own. */
  'zero-shot-classification': {
    (text: string, labels: OneOrMany<string>, options?: PipelineCallOptions<ZeroShotOptions>): Promise<ZeroShotOutput>;
    (texts: readonly string[], labels: OneOrMany<string>, options?: PipelineCallOptions<ZeroShotOptions>): Promise<ZeroShotOutput[]>;
  };
  /** Which choice goes on best. */
  'multiple-choice': (text: string, choices: readonly string[], options?: PipelineCallOptions<TaskOptions>) => Promise<ChoiceOutput>;
  /** Every token of a text, and whether another model put it there. */
  'replaced-token-detection': {
    (text: string, options?: PipelineCallOptions<TaskOptions>): Promise<ReplacedToken[]>;
    (texts: readonly string[], options?: PipelineCallOptions<TaskOptions>): Promise<ReplacedToken[][]>;
  };
  /** Entities of a text: its labelled tokens, or groups of them with `aggregation_strategy`. */
  'token-classification': {
    (text: string, options?: PipelineCallOptions<EntityOptions>): Promise<PipelineResult<Entity>[]>;
    (texts: readonly string[], options?: PipelineCallOptions<EntityOptions>): Promise<PipelineResult<Entity>[][]>;
  };
  /**
   * One answer with `top_k` 1 (default), else a list; for lists a list of these. Questions and contexts apart, as in transformers.js, or
   * together, as in Python.
   */
  'question-answering': {
    (input: QuestionInput, options?: PipelineCallOptions<AnswerOptions>): Promise<Answer | Answer[]>;
    (inputs: readonly QuestionInput[], options?: PipelineCallOptions<AnswerOptions>): Promise<(Answer | Answer[])[]>;
    (
      question: OneOrMany<string>,
      context: OneOrMany<string>,
      options?: PipelineCallOptions<AnswerOptions>,
    ): Promise<Answer | Answer[] | (Answer | Answer[])[]>;
  };
  /** [texts, dimensions], or without pooling [texts, longest text, hidden]. */
  'feature-extraction': {
    (
      texts: OneOrMany<string>,
      options: PipelineCallOptions<FeaturePipelineOptions> & { readonly quantize: true; readonly precision: 'ubinary' },
    ): Promise<Tensor<Uint8Array>>;
    (
      texts: OneOrMany<string>,
      options: PipelineCallOptions<FeaturePipelineOptions> & { readonly quantize: true },
    ): Promise<Tensor<Int8Array>>;
    (texts: OneOrMany<string>, options?: PipelineCallOptions<FeaturePipelineOptions>): Promise<Tensor<Float32Array>>;
  };
  /** The similarity of each sentence to the source. */
  'sentence-similarity': (source: string, sentences: readonly string[], options?: PipelineCallOptions<TaskOptions>) => Promise<number[]>;
  /** Documents by their relevance to a query, the best first. */
  rerank: (query: string, documents: readonly string[], options?: PipelineCallOptions<RerankOptions>) => Promise<RankedDocument[]>;
  /** One translation for each text; `tgt_lang` and `src_lang` are `targetLanguage` and `sourceLanguage`. */
  translation: (
    texts: OneOrMany<string>,
    options?: PipelineCallOptions<TranslateOptions> & TransformersNames & { readonly tgt_lang?: string; readonly src_lang?: string },
  ) => Promise<PipelineResult<{ readonly translationText: string }>[]>;
  /** One summary for each text. */
  summarization: (
    texts: OneOrMany<string>,
    options?: PipelineCallOptions<SummarizeOptions> & TransformersNames,
  ) => Promise<PipelineResult<{ readonly summaryText: string }>[]>;
  /** What an encoder-decoder writes, as many texts for each as `num_return_sequences` says, side by side. */
  'text2text-generation': (
    texts: OneOrMany<string>,
    options?: PipelineCallOptions<GenerateOptions> & TransformersNames & StreamerOption,
  ) => Promise<GeneratedOutput[]>;
  /** How a decoder goes on with a text; with `return_full_text` (true) the text comes first. */
  'text-generation': {
    (text: string, options?: TextGenerationOptions): Promise<GeneratedOutput[]>;
    (texts: readonly string[], options?: TextGenerationOptions): Promise<GeneratedOutput[][]>;
  };
}

/** Names that transformers has for settings of generating text. */
export interface TransformersNames {
  readonly stop_strings?: string | readonly string[];
}

/** Who hears the text of one input while it is generated, without beams. */
export interface StreamerOption {
  readonly streamer?: Streamer | null | undefined;
}

/** Options of the pipeline `text-generation`. */
export type TextGenerationOptions = PipelineCallOptions<GenerateOptions> &
  TransformersNames &
  StreamerOption & { readonly return_full_text?: boolean };

/** What pipelines that generate return for a text. */
export type GeneratedOutput = PipelineResult<{ readonly generatedText: string }>;

/** What `next-sentence-prediction` returns: probabilities. */
export type NextSentenceOutput = WithCamelCase<{ readonly is_next: number; readonly not_next: number }>;

/** What `multiple-choice` returns. */
export interface ChoiceOutput {
  /** Index of the likeliest choice. */
  readonly choice: number;
  /** Probabilities, in the order of the choices. */
  readonly scores: readonly number[];
}

/** What `zero-shot-classification` returns for a text. */
export interface ZeroShotOutput {
  /** The text. */
  readonly sequence: string;
  /** The likeliest first. */
  readonly labels: readonly string[];
  readonly scores: readonly number[];
}

/** The names `pipeline` takes, besides their aliases. */
export type TaskName = keyof PipelineCalls;

/** Other names of tasks, as in transformers. */
export interface TaskAliases {
  'sentiment-analysis': 'text-classification';
  ner: 'token-classification';
  embeddings: 'feature-extraction';
  'text-ranking': 'rerank';
}

/** The task that a name means. */
export type ResolvedTask<T extends TaskName | keyof TaskAliases> = T extends keyof TaskAliases
  ? TaskAliases[T]
  : T extends TaskName
    ? T
    : never;

/** A task bound to a model: call it with texts. */
export type Pipeline<T extends TaskName> = PipelineCalls[T] & PipelineBase;

/** transformers.js's type of a pipeline that makes vectors. */
export type FeatureExtractionPipeline = Pipeline<'feature-extraction'>;
/** transformers.js's type of a pipeline that labels texts. */
export type TextClassificationPipeline = Pipeline<'text-classification'>;
/** transformers.js's type of a pipeline that labels tokens. */
export type TokenClassificationPipeline = Pipeline<'token-classification'>;
/** transformers.js's type of a pipeline that finds answers. */
export type QuestionAnsweringPipeline = Pipeline<'question-answering'>;
/** transformers.js's type of a pipeline that tells hidden words. */
export type FillMaskPipeline = Pipeline<'fill-mask'>;
/** transformers.js's type of a pipeline with labels of one's own. */
export type ZeroShotClassificationPipeline = Pipeline<'zero-shot-classification'>;
/** transformers.js's type of what `pipeline` takes as a task. */
export type PipelineType = TaskName | keyof TaskAliases;

/** How `pipeline` loads its model. */
export interface PipelineOptions extends Omit<PretrainedOptions, 'progress_callback' | 'progressCallback'> {
  /** Hears how a download goes, and `ready` at the end. */
  readonly progress_callback?: PipelineProgress | null | undefined;
  /** The same. */
  readonly progressCallback?: PipelineProgress | null | undefined;
}

/** Hears how a pipeline is loaded. */
export type PipelineProgress = (event: ProgressEvent | ReadyEvent) => void;

/** The last thing that `progress_callback` hears. */
export interface ReadyEvent {
  readonly status: 'ready';
  readonly task: string;
  readonly model: string;
}
