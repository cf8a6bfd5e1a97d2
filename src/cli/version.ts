import { createRequire } from 'node:module';

/** The version in package.json, which lies two folders up from here both in `src` and in `dist`. */
export const version = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
