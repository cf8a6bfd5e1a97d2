// Lets bertha-jobs find the optional peers that CI installs in test/adapters: chromadb, LanceDB and its Arrow. First of all imports.
import { existsSync } from 'node:fs';
import { register } from 'node:module';

const modules = new URL('../../adapters/node_modules/', import.meta.url);
const names = ['chromadb', '@lancedb/lancedb', 'apache-arrow'];

/** What of the peers is missing; undefined where nothing is. */
export const missingPeers: Readonly<Record<'chroma' | 'lance', string | undefined>> = {
  chroma: missing(['chromadb']),
  lance: missing(['@lancedb/lancedb', '@lancedb/lancedb-linux-x64-gnu', 'apache-arrow']),
};

function missing(wanted: readonly string[]): string | undefined {
  const gone = wanted.filter((name) => !existsSync(new URL(name, modules)));
  return gone.length === 0 ? undefined : `${gone.join(', ')} not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional`;
}

// Names that are looked for from another place; all else goes its way.
const hook = `
  const names = ${JSON.stringify(names)};
  export const resolve = (name, context, next) =>
    next(name, names.includes(name) ? { ...context, parentURL: ${JSON.stringify(new URL('none.js', modules).href)} } : context);`;
const hookUrl = `data:text/javascript,${encodeURIComponent(hook)}`;
register(hookUrl);

/** Does the same for a program of its own: `node --import PEERS …`. */
export const peers = `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(hookUrl)});`)}`;
