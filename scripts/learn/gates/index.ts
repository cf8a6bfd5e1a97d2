import { distillGate } from './distill.js';
import type { Gate } from './gate.js';
import { setfitGate } from './setfit.js';

/** The gates by the names that `npm run learn -- --task` takes. */
export const gates: Readonly<Record<string, Gate>> = {
  distill: distillGate,
  setfit: setfitGate,
};
