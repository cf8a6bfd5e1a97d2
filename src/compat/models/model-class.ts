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

/** The encoder's outputs. */
export const encoderOutputs: Outputs = ({ values }) => ({ last_hidden_state: values.lastHiddenState, pooler_output: values.poolerOutput });

/** What a class with one head computes. */
export function outputsOf(head: keyof Heads): Outputs {
  return (model) => {
    if (head === 'maskedLm') return { logits: requireHead(model, head, 'from_pretrained').logits };
    return { [head === 'questionAnswering' ? 'spans' : 'logits']: requireHead(model, head, 'from_pretrained') };
  };
}

/** What transformers pretrains a family with: one head's outputs, or BERT's two under names of their own. */
export function pretrainingOutputs(type: ModelType): Outputs {
  const { pretraining }: Family = families[type];
  if (pretraining.length === 1) return outputsOf(pretraining[0]!);
  return (model) => ({
    prediction_logits: requireHead(model, 'maskedLm', 'from_pretrained').logits,
    seq_relationship_logits: requireHead(model, 'nextSentence', 'from_pretrained'),
  });
}

/** A class that computes something; of one family alone where `modelType` is given. */
export function classOf(outputs: Outputs, modelType?: ModelType): ModelClass {
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
export function classesOf<Name extends string>(type: ModelType): Readonly<Record<`${Name}${ClassSuffix}`, ModelClass>> {
  const family: Family = families[type];
  const outputs = (name: string): Outputs => {
    const head = headOfClass(family, name);
    if (head !== undefined) return outputsOf(head);
    return name.endsWith('ForPreTraining') ? pretrainingOutputs(type) : encoderOutputs;
  };
  const classes = classNames(family).map((name) => [name, classOf(outputs(name), type)] as const);
  return Object.fromEntries(classes) as Record<`${Name}${ClassSuffix}`, ModelClass>;
}

function callable(model: Model, outputs: Readonly<Record<string, Value | undefined>>, fields: PretrainedConfig): PreTrainedModel {
  const call = (inputs: ModelInputs | CamelCase<ModelInputs>) => runBatch(model, outputs, inputs);
  const dispose = async (): Promise<void> => model.dispose();
  return Object.assign(call, { model, config: { ...fields, ...model.config }, dispose });
}
