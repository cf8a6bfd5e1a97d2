import { classNames, headOfClass, type ClassSuffix } from '../../architectures/class-names.js';
import type { ModelConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import { families, type ModelType } from '../../architectures/registry.js';
import { unexpected } from '../../expected.js';
import type { ModelPath } from '../../hub/index.js';
import { loadModel, type Heads, type Model } from '../../models/index.js';
import type { Value } from '../../models/program/program.js';
import { requireHead } from '../../tasks/require-head.js';
import type { CamelCase } from '../snake-case.js';
import { readPretrained, type PretrainedOptions } from '../loading/options.js';
import { readConfigFields, type PretrainedConfig } from './config.js';
import { runBatch, type ModelInputs, type ModelOutput } from './run-batch.js';

/** A model that is called as in transformers.js. */
export interface PreTrainedModel {
  (inputs: ModelInputs | CamelCase<ModelInputs>): Promise<ModelOutput>;
  /** Bertha's own model. */
  readonly model: Model;
  /** What was read of config.json, and its fields as they are spelled there. */
  readonly config: ModelConfig & PretrainedConfig;
  /** Gives the model's memory back. */
  dispose(): Promise<void>;
}

/** `AutoModel`, `BertForMaskedLM` and their like. */
export interface ModelClass {
  /** Errors: as `loadModel`; NO_HEAD, CONFIG_UNSUPPORTED (a directory of another architecture). */
  from_pretrained(model: ModelPath, options?: PretrainedOptions): Promise<PreTrainedModel>;
}

/** What a class computes: the keys of its output and where the values come from. */
type Outputs = (model: Model) => Readonly<Record<string, Value | undefined>>;

const encoderOutputs: Outputs = ({ values }) => ({ last_hidden_state: values.lastHiddenState, pooler_output: values.poolerOutput });

/** What a class with one head computes. */
function outputsOf(head: keyof Heads): Outputs {
  return (model) => {
    if (head === 'maskedLm') return { logits: requireHead(model, head, 'from_pretrained').logits };
    return { [head === 'questionAnswering' ? 'spans' : 'logits']: requireHead(model, head, 'from_pretrained') };
  };
}

/** What transformers pretrains a family with: one head's outputs, or BERT's two under names of their own. */
function pretrainingOutputs(type: ModelType): Outputs {
  const { pretraining }: Family = families[type];
  if (pretraining.length === 1) return outputsOf(pretraining[0]!);
  return (model) => ({
    prediction_logits: requireHead(model, 'maskedLm', 'from_pretrained').logits,
    seq_relationship_logits: requireHead(model, 'nextSentence', 'from_pretrained'),
  });
}

function classOf(outputs: Outputs, modelType?: ModelType): ModelClass {
  return {
    from_pretrained: async (directory, given) => {
      const found = await readPretrained(directory, given);
      const model = await loadModel(found.model, { heads: outputs !== encoderOutputs, ...found.options });
      try {
        if (modelType !== undefined && model.config.modelType !== modelType) {
          throw unexpected('CONFIG_UNSUPPORTED', `a ${modelType} model for this class`, model.config.modelType, {
            hint: 'AutoModel takes any.',
          });
        }
        return callable(model, outputs(model), await readConfigFields(model.directory));
      } catch (error) {
        model.dispose();
        throw error;
      }
    },
  };
}

/** The classes of a family by their names, without those for which it has no head. */
function classesOf<Name extends string>(type: ModelType): Readonly<Record<`${Name}${ClassSuffix}`, ModelClass>> {
  const family: Family = families[type];
  const outputs = (name: string): Outputs => {
    const head = headOfClass(family, name);
    if (head !== undefined) return outputsOf(head);
    return name.endsWith('ForPreTraining') ? pretrainingOutputs(type) : encoderOutputs;
  };
  const classes = classNames(family).map((name) => [name, classOf(outputs(name), type)] as const);
  return Object.fromEntries(classes) as Record<`${Name}${ClassSuffix}`, ModelClass>;
}

/** The encoder of any model: `last_hidden_state`, and `pooler_output` where it has a pooler. */
export const AutoModel = classOf(encoderOutputs);
/** Any model with the heads it was pretrained with. */
export const AutoModelForPreTraining = classOf((model) => pretrainingOutputs(model.config.modelType)(model));
/** Any model that tells hidden words: `logits` [texts, tokens, vocab]. */
export const AutoModelForMaskedLM = classOf(outputsOf('maskedLm'));
/** Any model that tells whether a text follows another: `logits` [texts, 2], the first for yes. */
export const AutoModelForNextSentencePrediction = classOf(outputsOf('nextSentence'));
/** Any model that labels texts: `logits` [texts, labels]. */
export const AutoModelForSequenceClassification = classOf(outputsOf('sequenceClassification'));
/** Any model that labels tokens: `logits` [texts, tokens, labels]. */
export const AutoModelForTokenClassification = classOf(outputsOf('tokenClassification'));
/** Any model that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
export const AutoModelForQuestionAnswering = classOf(outputsOf('questionAnswering'));
/** Any model that chooses: `logits` [choices, 1], one row a choice. */
export const AutoModelForMultipleChoice = classOf(outputsOf('multipleChoice'));

// Modules cannot compute the names of their exports: each family's stand here once more, and test/models/families.test.ts holds them equal.
export const {
  /** The encoder of a model of BERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  BertModel,
  /** A model of BERT with the heads it was pretrained with. */
  BertForPreTraining,
  /** A model of BERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  BertForMaskedLM,
  /** A model of BERT that tells whether a text follows another: `logits` [texts, 2], the first for yes. */
  BertForNextSentencePrediction,
  /** A model of BERT that labels texts: `logits` [texts, labels]. */
  BertForSequenceClassification,
  /** A model of BERT that labels tokens: `logits` [texts, tokens, labels]. */
  BertForTokenClassification,
  /** A model of BERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  BertForQuestionAnswering,
  /** A model of BERT that chooses: `logits` [choices, 1], one row a choice. */
  BertForMultipleChoice,
} = classesOf<'Bert'>('bert');
export const {
  /** The encoder of a model of DistilBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  DistilBertModel,
  /** A model of DistilBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  DistilBertForMaskedLM,
  /** A model of DistilBERT that labels texts: `logits` [texts, labels]. */
  DistilBertForSequenceClassification,
  /** A model of DistilBERT that labels tokens: `logits` [texts, tokens, labels]. */
  DistilBertForTokenClassification,
  /** A model of DistilBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  DistilBertForQuestionAnswering,
  /** A model of DistilBERT that chooses: `logits` [choices, 1], one row a choice. */
  DistilBertForMultipleChoice,
} = classesOf<'DistilBert'>('distilbert');
export const {
  /** The encoder of a model of ELECTRA: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  ElectraModel,
  /** A model of ELECTRA that tells replaced tokens: `logits` [texts, tokens]. */
  ElectraForPreTraining,
  /** A model of ELECTRA that tells hidden words: `logits` [texts, tokens, vocab]. */
  ElectraForMaskedLM,
  /** A model of ELECTRA that labels texts: `logits` [texts, labels]. */
  ElectraForSequenceClassification,
  /** A model of ELECTRA that labels tokens: `logits` [texts, tokens, labels]. */
  ElectraForTokenClassification,
  /** A model of ELECTRA that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  ElectraForQuestionAnswering,
  /** A model of ELECTRA that chooses: `logits` [choices, 1], one row a choice. */
  ElectraForMultipleChoice,
} = classesOf<'Electra'>('electra');
export const {
  /** The encoder of a model of MPNet: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  MPNetModel,
  /** A model of MPNet that tells hidden words: `logits` [texts, tokens, vocab]. */
  MPNetForMaskedLM,
  /** A model of MPNet that labels texts: `logits` [texts, labels]. */
  MPNetForSequenceClassification,
  /** A model of MPNet that labels tokens: `logits` [texts, tokens, labels]. */
  MPNetForTokenClassification,
  /** A model of MPNet that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  MPNetForQuestionAnswering,
  /** A model of MPNet that chooses: `logits` [choices, 1], one row a choice. */
  MPNetForMultipleChoice,
} = classesOf<'MPNet'>('mpnet');

function callable(model: Model, outputs: Readonly<Record<string, Value | undefined>>, fields: PretrainedConfig): PreTrainedModel {
  const call = (inputs: ModelInputs | CamelCase<ModelInputs>) => runBatch(model, outputs, inputs);
  const dispose = async (): Promise<void> => model.dispose();
  return Object.assign(call, { model, config: { ...fields, ...model.config }, dispose });
}
