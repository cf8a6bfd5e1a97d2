import { unexpected, wrongArgument } from '../../expected.js';
import { shown } from './shape.js';
import { isBig, isFloat, type TensorType } from './types.js';

/**
 * A constant as numbers of a type are; typed as a number, since operators treat bigints alike.
 *
 * Errors: INVALID_ARG for what is no number, or no whole one where the type holds bigints.
 */
export function scalarOf(type: TensorType, value: number | bigint, name: string): number {
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  if (isNumber && !isBig(type)) return Number(value);
  if (isNumber && (typeof value === 'bigint' || Number.isInteger(value))) return BigInt(value) as unknown as number;
  throw wrongArgument(`${isBig(type) ? 'a whole number' : 'a number'} for ${name}`, value);
}

/** Errors: INVALID_ARG for zero where a type has no value for a division by it, and for what would leave unsigned numbers. */
export function checkDivisor(type: TensorType, value: number | bigint, name: 'div' | 'remainder'): void {
  const isZero = Number(value) === 0 && (name === 'div' ? isBig(type) : !isFloat(type));
  const isNegative = name === 'remainder' && value < 0 && (type.startsWith('uint') || type === 'bool');
  if (!isZero && !isNegative) return;
  const what = isNegative ? 'a positive divisor' : 'a divisor other than 0';
  throw wrongArgument(`${what} for ${name} of ${type}`, value);
}

/** The remainder of a division, with the sign of the divisor as in Python. */
export function remainderOf(value: number, divisor: number): number {
  const rest = value % divisor;
  return (rest < 0 && divisor > 0) || (rest > 0 && divisor < 0) ? rest + divisor : rest;
}

/** A value, at least `min` and at most `max`. */
export function clampTo(value: number, min: number, max: number): number {
  const raised = value < min ? min : value;
  return raised > max ? max : raised;
}

/** Errors: INVALID_ARG for integers. */
export function requireFloat(type: TensorType, name: string): void {
  if (isFloat(type)) return;
  throw unexpected('INVALID_ARG', `a tensor of floats for ${name}`, `one of ${type}`);
}

/** The exponent that a norm's name means. Errors: INVALID_ARG. */
export function normPower(p: unknown): number {
  const power = p === 'fro' ? 2 : p;
  if (typeof power === 'number' && power > 0 && power < Infinity) return power;
  throw wrongArgument('"fro" or a number above 0 for norm', p);
}

/** How often a tensor of a rank is repeated along each dimension. Errors: INVALID_ARG. */
export function checkRepeats(repeats: readonly number[], rank: number): void {
  if (repeats.length >= rank && repeats.every((times) => Number.isInteger(times) && times >= 0)) return;
  throw unexpected('INVALID_ARG', `${rank} or more whole numbers for repeat`, shown(repeats));
}

/** Where the largest or the smallest value is, the first of equals. Errors: INVALID_ARG for none. */
export function bestIndex(name: 'max' | 'min', values: readonly number[]): number {
  if (values.length === 0) throw unexpected('INVALID_ARG', `numbers for ${name}`, 'none');
  return values.reduce((best, value, i) => ((name === 'max' ? value > values[best]! : value < values[best]!) ? i : best), 0);
}
