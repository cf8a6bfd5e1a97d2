import { albert } from './albert/albert.js';
import { bert } from './bert/bert.js';
import { camembert } from './camembert/camembert.js';
import { distilbert } from './distilbert/distilbert.js';
import { electra } from './electra/electra.js';
import { classNames, headOfClass } from './class-names.js';
import type { Family } from './family.js';
import type { Heads } from './heads.js';
import { mpnet } from './mpnet/mpnet.js';
import { roberta } from './roberta/roberta.js';
import { xlmRoberta } from './xlm-roberta/xlm-roberta.js';

/** Every family by its `model_type`. Whatever reads, builds, names or lists families goes through here. */
export const families = { bert, distilbert, electra, mpnet, roberta, 'xlm-roberta': xlmRoberta, camembert, albert } satisfies Readonly<
  Record<string, Family>
>;

/** A `model_type` of config.json that can be computed. */
export type ModelType = keyof typeof families;

/** All of them, in the order of messages. */
export const modelTypes = Object.keys(families) as readonly ModelType[];

/** The name of a class that has a head, of the first family that has one: for messages. */
export function exampleClass(head: keyof Heads): string {
  const all: readonly Family[] = Object.values(families);
  const own = all.flatMap((family) => classNames(family).filter((name) => headOfClass(family, name) === head));
  const pretrained = all.filter(({ pretraining }) => pretraining.includes(head)).map(({ className }) => `${className}ForPreTraining`);
  return [...own, ...pretrained][0]!;
}
