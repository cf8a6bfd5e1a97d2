import { unexpected } from '../../expected.js';
import type { ProgramBuilder, Value } from '../../models/program/program.js';
import type { TeacherState, TrainingInput } from '../../runtime/native.js';
import type { TeacherLosses } from './tasks.js';

/** The mean squared error to numbers that come with each batch, so that `numItems` counts rows. Returns the input's name. */
export function squaredErrorTo<Name extends TrainingInput | TeacherState>(
  b: ProgramBuilder,
  value: Value,
  name: Name,
  { weight = 1, items = 0 } = {},
): Name {
  const targets = b.input({ name, rows: value.rows, width: value.width, dtype: 'float32', required: true });
  b.loss(value, (output) => ({ op: 'mean_squared_error', logits: value.id, targets, weight: weight / value.width, items, output }));
  return name;
}

/**
 * Appends the losses of states, all of which count tokens: number `items` of the step's counts. Returns their inputs' names.
 *
 * Errors: INVALID_OPTION for a state that there is not.
 */
export function appendStateLosses(
  b: ProgramBuilder,
  hiddenStates: readonly Value[],
  { states = [] }: TeacherLosses = {},
  items: number,
): readonly TeacherState[] {
  return states.map(({ state, weight }) => {
    const value = hiddenStates[state];
    if (value === undefined) throw unexpected('INVALID_OPTION', `states of 0..${hiddenStates.length - 1} for the teacher's`, state);
    return squaredErrorTo(b, value, `teacherState${state}`, { weight, items });
  });
}
