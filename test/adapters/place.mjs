// node test/adapters/place.mjs: puts this package and examples/adapters among the frameworks of test/adapters/node_modules, as npm would, so that
// `node test/adapters/node_modules/.examples/langchain.mjs` runs. First: npm run build, and npm ci --prefix test/adapters --ignore-scripts --omit=optional.
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const checkout = join(import.meta.dirname, '..', '..');
const modules = join(import.meta.dirname, 'node_modules');
const [own, examples] = ['bertha-encoder', '.examples'].map((name) => join(modules, name));

for (const folder of [own, examples]) rmSync(folder, { recursive: true, force: true });
mkdirSync(own);
const isNeeded = (file) => !/[\\/]dist[\\/]cli|\.map$/.test(file);
for (const name of ['package.json', 'dist']) cpSync(join(checkout, name), join(own, name), { recursive: true, filter: isNeeded });
for (const name of ['build', 'weights']) symlinkSync(join(checkout, name), join(own, name));
cpSync(join(checkout, 'examples', 'adapters'), examples, { recursive: true });
