import type { JsonFields } from '../checkpoint/json-fields.js';
import { albert } from './albert/albert.js';
import { bart } from './bart/bart.js';
import { bert } from './bert/bert.js';
import { bertGeneration } from './bert-generation/bert-generation.js';
import { camembert } from './camembert/camembert.js';
import { deberta } from './deberta/deberta.js';
import { debertaV2 } from './deberta-v2/deberta-v2.js';
import { distilbert } from './distilbert/distilbert.js';
import { electra } from './electra/electra.js';
import { classNames, headOfClass } from './class-names.js';
import type { Family } from './family.js';
import type { Heads } from './heads.js';
import { gte } from './gte/gte.js';
import { jinaBert } from './jina-bert/jina-bert.js';
import { marian } from './marian/marian.js';
import { modernBert } from './modernbert/modernbert.js';
import { mpnet } from './mpnet/mpnet.js';
import { nomicBert } from './nomic-bert/nomic-bert.js';
import { roberta } from './roberta/roberta.js';
import { xlmRoberta } from './xlm-roberta/xlm-roberta.js';

/** Every family by its `model_type`, or by a name of ours where its models call themselves another's. Whatever reads, builds, names or lists families goes through here. */
export const families = {
  bert,
  distilbert,
  electra,
  mpnet,
  roberta,
  'xlm-roberta': xlmRoberta,
  camembert,
  albert,
  nomic_bert: nomicBert,
  gte,
  modernbert: modernBert,
  'jina-bert': jinaBert,
  'deberta-v2': debertaV2,
  deberta,
  'bert-generation': bertGeneration,
  marian,
  bart,
} satisfies Readonly<Record<string, Family>>;

/** The family of a config.json. */
export type ModelType = keyof typeof families;

/** All of them, in the order of messages. */
export const modelTypes = Object.keys(families) as readonly ModelType[];

const entries = Object.entries(families) as readonly (readonly [ModelType, Family])[];

/** Models of two families' models, an encoder and a decoder: their `model_type`, and the name of their class. */
export const encoderDecoderType = 'encoder-decoder';
export const encoderDecoderClass = 'EncoderDecoderModel';

/** What `model_type` may say, in the order of messages. */
export const knownNames: readonly string[] = [
  ...entries.flatMap(([type, { otherNames = [], within }]) => [
    ...(within === undefined ? [type] : []),
    ...otherNames.map(({ modelType }) => modelType),
  ]),
  encoderDecoderType,
];

/** The families whose models can be an encoder-decoder's halves. */
export const partTypes: readonly ModelType[] = entries
  .filter(([, { asDecoder, decoderFields }]) => asDecoder !== undefined && decoderFields === undefined)
  .map(([type]) => type);

/** The family of a `model_type`; undefined for one that is not here. */
export function familyOf(name: string, fields: JsonFields): ModelType | undefined {
  const hidden = entries.find(([, { within }]) => within?.modelType === name && within.tells(fields));
  if (hidden !== undefined) return hidden[0];
  return entries.find(
    ([type, { otherNames = [], within }]) =>
      (type === name && within === undefined) || otherNames.some(({ modelType }) => modelType === name),
  )?.[0];
}

/** The name of a class that has a head, of the first family that has one: for messages. */
export function exampleClass(head: keyof Heads): string {
  const all: readonly Family[] = Object.values(families);
  const own = all.flatMap((family) => classNames(family).filter((name) => headOfClass(family, name) === head));
  const pretrained = all.filter(({ pretraining }) => pretraining.includes(head)).map(({ className }) => `${className}ForPreTraining`);
  return [...own, ...pretrained][0]!;
}
