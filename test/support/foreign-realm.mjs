// The built library inside a vm context, its node: modules from outside: what Jest does with ES modules. Needs --experimental-vm-modules.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const fromOutside = ['process', 'Buffer', 'console', 'setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'URL', 'AbortController'];
const more = ['AbortSignal', 'TextEncoder', 'TextDecoder', 'queueMicrotask', 'structuredClone', 'Event', 'EventTarget'];
const context = vm.createContext(Object.fromEntries([...fromOutside, ...more].map((name) => [name, globalThis[name]])));
const modules = new Map();

function load(url) {
  if (!modules.has(url)) modules.set(url, url.startsWith('node:') ? wrap(url) : read(url));
  return modules.get(url);
}

async function wrap(url) {
  const outside = await import(url);
  const names = Object.keys(outside);
  const exportAll = function () {
    for (const name of names) this.setExport(name, outside[name]);
  };
  return new vm.SyntheticModule(names, exportAll, { context, identifier: url });
}

function read(url) {
  const filename = fileURLToPath(url);
  return new vm.SourceTextModule(readFileSync(filename, 'utf8'), {
    context,
    identifier: url,
    initializeImportMeta: (meta) => Object.assign(meta, { url, filename, dirname: dirname(filename) }),
  });
}

const link = (specifier, from) => load(specifier.startsWith('.') ? new URL(specifier, from.identifier).href : specifier);

/** Its exports, of the context, and the context's globals. */
export async function importForeign(url) {
  const module = await load(url);
  if (module.status === 'unlinked') await module.link(link);
  await module.evaluate();
  return { library: module.namespace, globals: vm.runInContext('globalThis', context) };
}
