// The checks of the options of masked generation, without the code that runs it: the command line makes its flags of them.
import { taskSchema } from '../../calls/options.js';
import { wrongOption } from '../../expected.js';
import { integer, oneOf, type Check } from '../../options.js';

const most = 1 << 20;

const aboveZero: Check<number> = (value, name) => {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw wrongOption(`a finite number above 0 for ${name}`, value);
};

/** Of `fillMasks`. */
export const fillMasksSchema = {
  ...taskSchema,
  method: oneOf(['mask-predict', 'gibbs']),
  iterations: integer(1, most),
  sweeps: integer(1, most),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  temperature: aboveZero,
  topK: integer(0, most),
};

/** Of `pseudoLogLikelihood`. */
export const pseudoLikelihoodSchema = taskSchema;
