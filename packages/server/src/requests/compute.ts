import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallOptions, CallReport } from 'bertha-encoder';
import type { Ability } from '../models/abilities.js';
import type { ServedModel } from '../models/served-model.js';
import type { ServerState } from '../state.js';
import type { WorkReport } from '../work/report.js';
import { invalid, RequestError } from '../failures/failures.js';
import { ClientSignal } from './client-signal.js';

/** Inputs up to which a request goes before bulk work. */
const kMostInteractive = 32;
const kLongestDeadlineMs = 3_600_000;

/** What a request asks the library for, as far as scheduling it goes. */
export interface WorkSize {
  readonly inputs: number;
  /** UTF-16 units of its texts. */
  readonly units: number;
  /** Ids that it brings. */
  readonly ids: number;
}

/** Sizes of texts, and of pairs by their joined texts. */
export function sizeOfTexts(texts: readonly string[]): WorkSize {
  let units = 0;
  for (const text of texts) units += text.length;
  return { inputs: texts.length, units, ids: 0 };
}

/** What `run` may pass on to the library: an AbortSignal that follows the client, the lane, the deadline. */
export type WorkOptions = Pick<CallOptions, 'signal' | 'priority' | 'deadlineMs' | 'onTimings'>;

/** Model and name of a request: the one of its path comes before the one of its body. */
export interface ModelRequest {
  readonly model?: string | null | undefined;
}

/** The model that a request is for. Errors: as `ModelRegistry.choose`. */
export function modelFor(state: ServerState, request: FastifyRequest, body: ModelRequest | undefined, ability: Ability): ServedModel {
  return state.models.choose(state.pathModels.get(request.raw) ?? body?.model ?? undefined, ability);
}

/**
 * Computes something for a request: takes it or refuses it whole, aborts when the client goes or the server's time is over, and tells what it took.
 *
 * Errors: RequestError QUEUE_FULL and for headers that make no sense; ClientGone; what `run` rejects with.
 */
export async function compute<T>(
  state: ServerState,
  request: FastifyRequest,
  reply: FastifyReply,
  served: ServedModel,
  size: WorkSize,
  run: (options: WorkOptions, served: ServedModel) => Promise<T>,
): Promise<T> {
  const { maxInputs, deadlineMs: ownDeadline } = state.settings;
  if (size.inputs > maxInputs) throw invalid(`Expected at most ${maxInputs} inputs but received ${size.inputs}.`);
  const asked = readDeadline(request);
  const deadlineMs = asked ?? ownDeadline;
  const priority = readPriority(request) ?? (size.inputs > kMostInteractive ? 'bulk' : 'interactive');
  const estimate = size.ids + Math.min(size.inputs * served.model.maxTokens, size.units / 4 + 2 * size.inputs);
  const release = state.admission.admit(estimate);
  const report: WorkReport = {
    model: served.name,
    inputs: size.inputs,
    units: size.units,
    tokens: 0,
    tokenizeMs: 0,
    queuedMs: 0,
    computeMs: 0,
  };
  request.workReport = report;
  const signal = new ClientSignal(reply.raw, state.inFlight);
  let isComputed = false;
  try {
    const options = { signal, priority, deadlineMs, onTimings: (call: CallReport) => addTo(report, call) };
    const result = await served.use(() => run(options, served));
    isComputed = true;
    state.models.noteOutcome(undefined);
    addHeaders(reply, report);
    return result;
  } catch (error) {
    state.models.noteOutcome(error);
    throw asked === undefined ? error : withoutRetry(error);
  } finally {
    release(isComputed);
    signal.end();
  }
}

function addTo(report: WorkReport, { tokens, tokenizeMs, queuedMs, computeMs }: CallReport): void {
  report.tokens += tokens;
  report.tokenizeMs += tokenizeMs;
  report.queuedMs += queuedMs;
  report.computeMs += computeMs;
}

/** text-embeddings-inference's headers; milliseconds. */
function addHeaders(reply: FastifyReply, { tokens, units, tokenizeMs, queuedMs, computeMs }: WorkReport): void {
  const total = Math.round(reply.elapsedTime);
  reply.headers({
    'x-compute-type': 'cpu',
    'x-compute-time': total,
    'x-compute-characters': units,
    'x-compute-tokens': tokens,
    'x-total-time': total,
    'x-tokenization-time': Math.round(tokenizeMs),
    'x-queue-time': Math.round(queuedMs),
    'x-inference-time': Math.round(computeMs),
  });
}

/** The caller's own deadline has passed: asking again would not help. */
function withoutRetry(error: unknown): unknown {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code !== 'DEADLINE') return error;
  return new RequestError({
    status: 504,
    code: 'DEADLINE',
    type: 'Overloaded',
    message: String(message),
    headers: { 'x-should-retry': 'false' },
  });
}

function readDeadline({ headers }: FastifyRequest): number | undefined {
  const given = headers['x-deadline-ms'];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= kLongestDeadlineMs) return value;
  throw invalid(`Expected 1 to ${kLongestDeadlineMs} milliseconds for the header x-deadline-ms.`, 'x-deadline-ms', 'INVALID_OPTION');
}

function readPriority({ headers }: FastifyRequest): 'interactive' | 'bulk' | undefined {
  const given = headers['x-priority'];
  if (given === undefined || given === 'interactive' || given === 'bulk') return given;
  throw invalid('Expected interactive or bulk for the header x-priority.', 'x-priority', 'INVALID_OPTION');
}
