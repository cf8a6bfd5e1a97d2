import { context, propagation, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { version } from '../version.js';

/** Whether somebody collects spans: the API stands for an SDK that may or may not be there. */
function hasSdk(): boolean {
  const provider = trace.getTracerProvider() as { getDelegateTracer?: (name: string) => unknown };
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer('bertha-server') !== undefined;
}

/**
 * A span a request, a child of the caller's, with how much was read and where the time went. Does nothing, also for the speed of requests, unless an
 * SDK of OpenTelemetry was set up before the server was made.
 */
export function traceRequests(app: FastifyInstance): void {
  if (!hasSdk()) return;
  const tracer = trace.getTracer('bertha-server', version);
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'none';
    const attributes = { 'http.request.method': method, 'http.route': route };
    spans.set(
      request,
      tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, propagation.extract(context.active(), headers)),
    );
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    const report = request.workReport;
    if (report !== undefined) {
      const { model, inputs, tokens, tokenizeMs, queuedMs, computeMs } = report;
      span?.setAttributes({ 'bertha.model': model, 'bertha.inputs': inputs, 'bertha.tokens': tokens });
      span?.setAttributes({ 'bertha.tokenize_ms': tokenizeMs, 'bertha.queued_ms': queuedMs, 'bertha.compute_ms': computeMs });
    }
    span?.end();
    done();
  });
}
