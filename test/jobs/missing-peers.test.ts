// Stores whose packages are not installed: the error names the package and the command that installs it.
import { register } from 'node:module';
import * as assert from 'uvu/assert';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import { suite } from '../support/suite.js';

const names = ['pg', 'chromadb', '@lancedb/lancedb'];
const hook = `
  export const resolve = (name, context, next) => {
    if (${JSON.stringify(names)}.includes(name)) throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  };`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const t = suite('stores without their packages');

for (const [url, command] of [
  ['postgres://me:secret@127.0.0.1/db', 'npm i pg@8'],
  ['chroma://secret@127.0.0.1', 'npm i chromadb@3'],
  ['x.lancedb', 'npm i @lancedb/lancedb@0.31 apache-arrow@18'],
] as const) {
  t(`${url.replace(/\W.*/, '')}: says what to install`, async () => {
    const error = await openStore(url).catch((e: unknown) => e as Error & { code: string });
    assert.is((error as { code: string }).code, 'STORE');
    const { message } = error as Error;
    assert.ok(message.includes(`Cannot find package`) && message.endsWith(command), message);
    assert.not.match(message, /secret/);
  });
}

t.run();
