import { trace, type Tracer } from '@opentelemetry/api';
import * as assert from 'uvu/assert';
import { serve, serverSuite, tiny } from './support/serving.js';

const t = serverSuite('server: traces');

interface Recorded {
  readonly name: string;
  readonly attributes: Record<string, unknown>;
  isEnded: boolean;
}

t('a server that is made after an SDK was set up ends a span a request, without texts', async () => {
  const spans: Recorded[] = [];
  const tracer = {
    startSpan: (name: string, { attributes }: { attributes: object }) => {
      const span: Recorded = { name, attributes: { ...attributes }, isEnded: false };
      spans.push(span);
      return {
        setAttribute: (key: string, value: unknown) => void (span.attributes[key] = value),
        setAttributes: (more: object) => void Object.assign(span.attributes, more),
        setStatus: () => undefined,
        end: () => void (span.isEnded = true),
      };
    },
  };
  const before = await serve({ models: tiny('embedder') });
  trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as Tracer });
  const after = await serve({ models: tiny('embedder') });
  for (const server of [before, after]) assert.is((await server.post('/embed', { inputs: 'hello' })).status, 200);
  await after.close();
  await before.close();
  trace.disable();
  assert.equal(
    spans.map(({ name, isEnded }) => [name, isEnded]),
    [['POST /embed', true]],
  );
  const { attributes } = spans[0]!;
  assert.equal([attributes['http.response.status_code'], attributes['bertha.tokens'], attributes['bertha.model']], [200, 3, 'embedder']);
  assert.not.match(JSON.stringify(attributes), 'hello');
});

t.run();
