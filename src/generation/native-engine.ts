import type { Model } from '../models/index.js';
import { packInputs } from '../runtime/batch.js';
import type { SearchEngine } from './engine.js';

/** The search on native threads: texts of all calls share the steps of their decoders. */
export function nativeEngine({ values, config, session }: Model): SearchEngine {
  return ({ source, prompt, settings }, { deadlineMs, ...run }) => {
    const text = {
      logits: values.decoder!.logits!.id,
      settings,
      prompt,
      ...(source && { source: packInputs([source], config.typeVocabSize > 0) }),
      deadlineMs,
    };
    return session.generate(text, run);
  };
}
