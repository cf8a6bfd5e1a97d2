import { abortSignal, milliseconds, oneOf } from '../../options.js';

/** The checks of the options about when something runs: those of `RunOptions` that callers may give. */
export const runSchema = { signal: abortSignal, priority: oneOf(['interactive', 'bulk']), deadlineMs: milliseconds };
