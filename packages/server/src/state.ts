import type { IncomingMessage } from 'node:http';
import type { Admission } from './work/admission.js';
import type { Metrics } from './metrics/metrics.js';
import type { ModelRegistry } from './models/registry.js';
import type { Settings } from './settings/settings.js';

/** What the routes of one server share. */
export interface ServerState {
  readonly settings: Settings;
  readonly models: ModelRegistry;
  readonly admission: Admission;
  readonly metrics: Metrics;
  /** Aborted when requests in flight have had their time to end. */
  readonly abort: AbortSignal;
  /** Names of models that stood in the path: `/models/NAME/…`. */
  readonly pathModels: WeakMap<IncomingMessage, string>;
  /** Whether the server takes leave: no longer ready, every answer the last of its connection. */
  isClosing: boolean;
}
