import { augmentationGate } from './augmentation.js';
import { crossLingualGate } from './cross-lingual.js';
import { distillGate } from './distill.js';
import type { Gate } from './gate.js';
import { multiTaskGate } from './multi-task.js';
import { setfitGate } from './setfit.js';
import { simcseGate } from './simcse.js';
import { staticVectorsGate } from './static-vectors.js';
import { textClassifierGate } from './text-classifier.js';

/** The gates by the names that `npm run learn -- --task` takes. */
export const gates: Readonly<Record<string, Gate>> = {
  augmentation: augmentationGate,
  'cross-lingual': crossLingualGate,
  distill: distillGate,
  multi: multiTaskGate,
  setfit: setfitGate,
  'text-classifier': textClassifierGate,
  'static-vectors': staticVectorsGate,
  simcse: simcseGate,
};
