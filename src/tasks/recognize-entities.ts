import { unexpected } from '../expected.js';
import type { Model } from '../models/index.js';
import { aggregate, groupOf, labelTokens, type AggregationStrategy, type Entity } from './spans/entities.js';
import type { Encoding } from '../tokenizer/index.js';
import { requireString } from '../calls/inputs.js';
import type { TaskOptions } from '../calls/options.js';
import { entitySchema } from './schemas.js';
import { computeHead, headTask, type TaskFunction, type TaskReport } from './task.js';

/** Options of `recognizeEntities`. */
export interface EntityOptions extends TaskOptions {
  /** Tokens one by one (`none`, the default), runs of one label (`simple`), or words with one label each (`first`, `average`, `max`). */
  readonly aggregationStrategy?: AggregationStrategy | undefined;
  /** Labels, or groups, that are left out. Default `['O']`. */
  readonly ignoreLabels?: readonly string[] | undefined;
  /** Reads a long text in windows that share so many tokens. Default: a long text is cut. */
  readonly stride?: number | undefined;
}

/** The entities of one text, in order. */
export interface RecognizedText extends TaskReport {
  readonly entities: readonly Entity[];
  /** Windows the text was read in. */
  readonly windows: number;
}

/**
 * Labels the tokens of texts and joins them to entities, with exact places in the text. With `stride`, a long text is read in windows;
 * every token is labeled once, where it has the most context, before entities are joined: none is lost or doubled at a seam.
 *
 * Errors: NO_HEAD, INVALID_LABEL, INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 *
 * @example
 * const { entities } = await recognizeEntities(model, 'Ada Lovelace lived in London.');
 * console.log(entities.map(({ entityGroup, word }) => [entityGroup, word]));
 */
export const recognizeEntities: TaskFunction<string, EntityOptions, RecognizedText> = headTask(
  'recognizeEntities',
  'tokenClassification',
  entitySchema,
  async ({ model, head, call, settings }, inputs) => {
    const texts = inputs.map((each, i) => requireString(each, `the text at index ${i} of recognizeEntities`));
    const ignored = new Set(settings.ignoreLabels === undefined ? ['O'] : checkLabels(model, settings.ignoreLabels));
    const { stride } = settings;
    const windowsOf = (encoding: Encoding) => (stride === undefined ? [encoding] : [encoding, ...encoding.overflowing]);
    const { encodings, rows } = await computeHead(call, texts, settings, {
      values: [head],
      encode: { offsets: true, ...(stride === undefined ? {} : { stride }) },
      sequencesOf: windowsOf,
    });
    let next = 0;
    return encodings.map((encoding, i) => {
      const own = windowsOf(encoding);
      const logits = rows.slice(next, (next += own.length)).map(([row]) => row!);
      const tokens = labelTokens(model, texts[i]!, own, logits, stride ?? 0);
      const entities = aggregate(model, tokens, settings.aggregationStrategy ?? 'none');
      return {
        entities: entities.filter(({ entity, entityGroup }) => !ignored.has(entity ?? entityGroup!)),
        windows: own.length,
        tokens: own.reduce((sum, { length }) => sum + length, 0),
        truncated: stride === undefined && encoding.truncated,
      };
    });
  },
);

function checkLabels({ config }: Model, names: readonly string[]): readonly string[] {
  const known = new Set(['O', ...config.id2label, ...config.id2label.map(groupOf)]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return names;
  throw unexpected(
    'INVALID_LABEL',
    `labels of the model (${config.id2label.slice(0, 20).join(', ')}) for ignoreLabels`,
    JSON.stringify(unknown),
  );
}
