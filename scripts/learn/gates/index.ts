import { distillGate } from './distill.js';
import type { Gate } from './gate.js';
import { multiTaskGate } from './multi-task.js';
import { setfitGate } from './setfit.js';
import { simcseGate } from './simcse.js';
import { staticVectorsGate } from './static-vectors.js';
import { textClassifierGate } from './text-classifier.js';

/** The gates by the names that `npm run learn -- --task` takes. */
export const gates: Readonly<Record<string, Gate>> = {
  distill: distillGate,
  multi: multiTaskGate,
  setfit: setfitGate,
  'text-classifier': textClassifierGate,
  'static-vectors': staticVectorsGate,
  simcse: simcseGate,
};
