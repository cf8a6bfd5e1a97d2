import { BerthaError } from '../errors.js';
import type { JsonFields } from './json-fields.js';

/** How class scores become answers: softmax over classes, one sigmoid per class, or one number as it is. */
export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';

/** What config.json says of the rows of a head with labels. The encoder needs none of it. */
export interface Labels {
  readonly numLabels: number;
  /** [numLabels], indexed by class; LABEL_0, LABEL_1, … where the file names none. */
  readonly id2label: readonly string[];
  readonly label2id: ReadonlyMap<string, number>;
  readonly problemType?: ProblemType;
  /** Why the fields cannot be used. The values above are then what transformers fills in, and a head with labels throws this error. */
  readonly labelError?: BerthaError;
}

const kMaxLabels = 1 << 20;
/** What transformers assumes where a file says nothing. */
const kDefaultCount = 2;

/**
 * Reads `id2label`, `num_labels` and `problem_type` for a head of so many `rows`; without `rows` as the file alone has it. Where the two
 * counts contradict each other, the one that fits the rows is meant; where the file has neither, the rows are all there is to know. What
 * is wrong becomes `labelError`. A `problem_type` that is none counts as absent, as in transformers 5.
 */
export function readLabels(fields: JsonFields, rows?: number): Labels {
  const problemType = readProblemType(fields.get('problem_type'));
  const rest = problemType === undefined ? {} : { problemType };
  try {
    const names = readNames(fields);
    const count = fields.integer('num_labels', 1, kMaxLabels);
    const namesFit = rows === undefined || names?.length === rows || count !== rows;
    if (names !== undefined && namesFit) return { ...named(names), ...rest };
    return { ...numbered(count ?? rows ?? kDefaultCount), ...rest };
  } catch (error) {
    if (!(error instanceof BerthaError)) throw error;
    return { ...numbered(rows ?? kDefaultCount), ...rest, labelError: error };
  }
}

function numbered(count: number): Pick<Labels, 'numLabels' | 'id2label' | 'label2id'> {
  return named(Array.from({ length: count }, (_, id) => `LABEL_${id}`));
}

function named(id2label: readonly string[]): Pick<Labels, 'numLabels' | 'id2label' | 'label2id'> {
  return { numLabels: id2label.length, id2label, label2id: new Map(id2label.map((label, id) => [label, id])) };
}

/** `id2label` as a list. Errors: CONFIG for ids that leave one out, and for what is no string. */
function readNames(fields: JsonFields): readonly string[] | undefined {
  const byId = fields.object('id2label');
  if (byId === undefined) return undefined;
  const labels = new Map(Object.entries(byId).map(([id, label]) => [/^\d+$/.test(id) ? String(Number(id)) : id, label]));
  if (labels.size === 0) throw fields.error('id2label', 'at least one label', byId);
  return Array.from({ length: labels.size }, (_, id) => {
    const label = labels.get(String(id));
    if (typeof label !== 'string') throw fields.error('id2label', `a string for each of the ids 0..${labels.size - 1}`, label);
    return label;
  });
}

function readProblemType(value: unknown): ProblemType | undefined {
  const known = ['single_label_classification', 'multi_label_classification', 'regression'] as const;
  return known.find((each) => each === value);
}
