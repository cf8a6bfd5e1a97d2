import { wrongOption } from '../../expected.js';
import type { Check } from '../../options.js';

interface Bounds {
  readonly min: number;
  readonly max?: number;
  /** `min` itself is refused. */
  readonly above?: boolean;
  /** `max` itself is refused. */
  readonly below?: boolean;
}

/** A check for a number within bounds, not necessarily whole. */
export function numberWithin({ min, max = Infinity, above = false, below = false }: Bounds): Check<number> {
  return (value, name) => {
    const fits = typeof value === 'number' && Number.isFinite(value) && (above ? value > min : value >= min);
    if (!fits || (below ? value >= max : value > max)) {
      const upper = max === Infinity ? '' : ` and ${below ? 'below' : 'at most'} ${max}`;
      throw wrongOption(`a finite number ${above ? 'above' : 'from'} ${min}${upper} for ${name}`, value);
    }
    return value;
  };
}

/** A check for a number of steps: whole from 1, or below 1 a share of all steps. */
export const stepsOrShare: Check<number> = (value, name) => {
  if (typeof value === 'number' && value > 0 && (value < 1 || Number.isInteger(value))) return value;
  throw wrongOption(`a whole number of steps from 1, or a share of all steps between 0 and 1, for ${name}`, value);
};

/** A check for a plain object of options that whoever reads it checks. */
export const record: Check<Readonly<Record<string, unknown>>> = (value, name) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrongOption(`an object for ${name}`, value);
  return value as Readonly<Record<string, unknown>>;
};

/** A check for one of the texts, or a list of them; returns a list. */
export function listOf<const T extends string>(choices: readonly T[]): Check<readonly T[]> {
  return (value, name) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const stranger = list.find((each) => !choices.includes(each as T));
    if (stranger !== undefined) throw wrongOption(`${choices.map((each) => JSON.stringify(each)).join(' or ')} for ${name}`, stranger);
    return list as readonly T[];
  };
}

/** A check for a list of texts. */
export const texts: Check<readonly string[]> = (value, name) => {
  if (!Array.isArray(value)) throw wrongOption(`an array of strings for ${name}`, value);
  const stranger = value.findIndex((each) => typeof each !== 'string');
  if (stranger >= 0) throw wrongOption(`a string for ${name}[${stranger}]`, value[stranger]);
  return [...(value as string[])];
};
