import { dirname } from 'node:path';

// Two lockfiles lie above this app, so Next.js is told which folder is the project. The rest of what docs/bundlers.md recommends is only
// needed for output: 'standalone': the addon and the model are named by no import, so nothing traces them.
const root = dirname(import.meta.dirname);
const standalone = {
  output: 'standalone',
  serverExternalPackages: ['bertha-encoder'],
  outputFileTracingIncludes: { '/*': ['../node_modules/@bertha-encoder/**/*'] },
};

export default {
  distDir: process.env.NEXT_APP_DIST,
  turbopack: { root },
  outputFileTracingRoot: root,
  ...(process.env.NEXT_APP_STANDALONE === '1' ? standalone : {}),
};
