import type { IncomingMessage } from 'node:http';
import type { Admission } from './work/admission.js';
import type { InFlight } from './work/in-flight.js';
import type { EventLoopLag } from './metrics/event-loop-lag.js';
import type { Metrics } from './metrics/metrics.js';
import type { ModelRegistry } from './models/registry.js';
import type { Settings } from './settings/settings.js';

/** What the routes of one server share. */
export interface ServerState {
  readonly settings: Settings;
  readonly models: ModelRegistry;
  readonly admission: Admission;
  readonly metrics: Metrics;
  /** What is stopped when requests have had their time to end. */
  readonly inFlight: InFlight;
  readonly lag: EventLoopLag;
  /** Names of models that stood in the path: `/models/NAME/…`. */
  readonly pathModels: WeakMap<IncomingMessage, string>;
  /** Whether the server takes leave: no longer ready, every answer the last of its connection. */
  isClosing: boolean;
}
