// Public names of bertha-server.
export { createServer, type BerthaServer } from './server.js';
export type { ServerOptions } from './settings/settings.js';
export type { ModelSpec } from './models/served-model.js';
export type { FailedModel } from './models/registry.js';
export { version } from './version.js';
export { runServer, type CommandProcess } from './command/run.js';
