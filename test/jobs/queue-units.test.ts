// Addresses, ids and the patience of queues: without a service.
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/index.js';
import { withPatience } from '../../packages/jobs/src/shared/patience.js';
import { readQueueUrl } from '../../packages/jobs/src/queue/queue-url.js';
import { jobIdOf } from '../../packages/jobs/src/queue/unit-job.js';
import { UnitQueue } from '../../packages/jobs/src/queue/unit-queue.js';
import { unitsAtOnce } from '../../packages/jobs/src/queue/units-at-once.js';
import { startWorker } from '../../packages/jobs/src/queue/worker.js';
import { suite } from '../support/suite.js';

const t = suite('queue units');

const failure = async (act: () => unknown): Promise<BerthaError> => {
  try {
    await act();
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('nothing was thrown');
};

t('reads the URLs of both engines and shows neither user nor password', () => {
  for (const [url, engine] of [
    ['redis://user:secret@host:6379/2', 'redis'],
    ['rediss://:secret@host', 'redis'],
    ['postgres://user:secret@host/db', 'postgres'],
    ['postgresql://user:sec%40ret@host/db?password=secret', 'postgres'],
  ] as const) {
    const address = readQueueUrl(url);
    assert.is(address.engine, engine);
    assert.is(address.url, url);
    assert.not.match(address.shown, /sec|user/);
    assert.match(address.shown, /host/);
  }
});

t('refuses other URLs without repeating them', async () => {
  for (const url of ['mongodb://user:secret@host', 'host:secret@6379', 'secret', 'redis://user:secret@host:port']) {
    const error = await failure(() => readQueueUrl(url));
    assert.is(error.code, 'INVALID_OPTION');
    assert.not.match(error.message, /secret/);
  }
});

t('gives the same part of the same run one id, in whatever order its parameters stand', () => {
  const unit = { id: 'abc', ordinal: 0, reference: {}, version: '1', size: 1 };
  const id = jobIdOf({ run: 1, parameters: { a: 1, b: { c: 2, d: 3 } } }, unit);
  assert.match(id, /^u[0-9a-f]{40}$/);
  assert.is(jobIdOf({ parameters: { b: { d: 3, c: 2 }, a: 1 }, run: 1 }, unit), id);
  assert.is.not(jobIdOf({ run: 2, parameters: { a: 1, b: { c: 2, d: 3 } } }, unit), id);
  assert.is.not(jobIdOf({ run: 1, parameters: { a: 1, b: { c: 2, d: 4 } } }, unit), id);
  assert.is.not(jobIdOf({ run: 1, parameters: { a: 1, b: { c: 2, d: 3 } } }, { ...unit, id: 'abd' }), id);
});

t('has two units a device at the same time, more where there are many cores', () => {
  assert.equal([unitsAtOnce({ cores: 2 }), unitsAtOnce({ cores: 64 }), unitsAtOnce({ cores: 64, devices: 4 })], [2, 4, 10]);
});

t('tries again what fails for want of a connection, and nothing else', async () => {
  let tries = 0;
  const refuse = (times: number, error: Error) => async (): Promise<number> => {
    if (tries++ < times) throw error;
    return tries;
  };
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  assert.is(await withPatience(refuse(2, refused), { what: 'It', totalMs: 10_000 }), 3);
  tries = 0;
  const wrong = Object.assign(new Error('password authentication failed'), { code: '28P01' });
  assert.is(await failure(() => withPatience(refuse(1, wrong), { what: 'It', totalMs: 10_000 })), wrong as unknown as BerthaError);
  assert.is(tries, 1);
});

t('ends a call that never answers, and one that is aborted', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const late = await failure(() => withPatience(never, { what: 'The queue', totalMs: 50 }));
  assert.is(late.code, 'QUEUE');
  const reason = new Error('enough');
  const stopped = await failure(() =>
    withPatience(() => Promise.reject(Object.assign(new Error(''), { code: 'ECONNREFUSED' })), {
      what: 'The queue',
      totalMs: 10_000,
      signal: AbortSignal.abort(reason),
    }),
  );
  assert.is(stopped, reason as unknown as BerthaError);
});

for (const url of ['redis://user:secret@127.0.0.1:1', 'postgres://user:secret@127.0.0.1:1/db']) {
  t(`says of ${url.split(':')[0]} that nobody answers, after several tries`, async () => {
    const problems: string[] = [];
    const options = { patienceMs: 900, onWait: (problem: string) => void problems.push(problem) };
    const error = await failure(() => UnitQueue.open(url, options));
    assert.is(error.code, 'QUEUE');
    assert.match(error.message, /127\.0\.0\.1:1.* could not be reached within 1 s: .*ECONNREFUSED/);
    assert.not.match(error.message, /secret/);
    assert.is(problems.length, 1);
    const worker = await failure(() => startWorker(url, { patienceMs: 500, openRun: () => Promise.reject(new Error('none')) }));
    assert.is(worker.code, 'QUEUE');
  });
}

t.run();
