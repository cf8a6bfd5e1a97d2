// What a request has while it runs: a signal that follows its client, and a time for its body.
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import * as assert from 'uvu/assert';
import { loadEmbedder } from 'bertha-encoder';
import { ClientGone } from '../../packages/server/src/failures/failures.js';
import { BodyDeadlines } from '../../packages/server/src/http/body-deadlines.js';
import { ClientSignal } from '../../packages/server/src/requests/client-signal.js';
import { InFlight } from '../../packages/server/src/work/in-flight.js';
import { suite } from '../support/suite.js';
import { golden } from './support/serving.js';

const t = suite('server: requests');
const response = (fields: object = {}): ServerResponse =>
  Object.assign(new EventEmitter(), { destroyed: false, ...fields }) as ServerResponse;

t('the library stops a call when the client closes its connection, and when the server gives up', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const texts = new Array<string>(4000).fill('a b c d e f g h');
  const inFlight = new InFlight();
  const raw = response();
  const left = embedder.embed(texts, { signal: new ClientSignal(raw, inFlight) }).catch((error: unknown) => error);
  const given = embedder.embed(texts, { signal: new ClientSignal(response(), inFlight) }).catch((error: unknown) => error);
  raw.emit('close');
  inFlight.stopAll();
  assert.ok((await left) instanceof ClientGone);
  assert.match(String(await given), /The server is closing/);
  embedder.dispose();
});

t('a signal is aborted at once for a client that has gone, hears nothing after its end, and tells each listener once', () => {
  const heard: string[] = [];
  const gone = new ClientSignal(response({ destroyed: true }), new InFlight());
  assert.throws(() => gone.throwIfAborted(), /closed the connection/);
  const raw = response();
  const signal = new ClientSignal(raw, new InFlight());
  const dropped = (): void => void heard.push('dropped');
  signal.addEventListener('abort', dropped);
  signal.addEventListener('abort', { handleEvent: ({ type }: Event) => void heard.push(type) });
  signal.removeEventListener('abort', dropped);
  raw.emit('close');
  raw.emit('close');
  assert.equal(heard, ['abort']);
  const ended = response();
  const other = new ClientSignal(ended, new InFlight());
  other.end();
  assert.is(ended.listenerCount('close'), 0);
  assert.is(other.aborted, false);
});

t('bodies that do not come are refused once, those that came or whose client went are forgotten', async () => {
  const refused: FastifyReply[] = [];
  const deadlines = new BodyDeadlines(50, (reply) => refused.push(reply));
  const reply = (raw: object): FastifyReply => ({ request: { raw } }) as FastifyReply;
  const late = reply({ complete: false, destroyed: false });
  const answered = reply({ complete: false, destroyed: false });
  [late, answered, reply({ complete: true, destroyed: false }), reply({ complete: false, destroyed: true })].forEach((each) =>
    deadlines.add(each),
  );
  deadlines.delete(answered);
  await sleep(200);
  deadlines.stop();
  assert.equal(refused, [late]);
});

t.run();
