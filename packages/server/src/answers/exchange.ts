import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ability } from '../models/abilities.js';
import type { ServedModel } from '../models/served-model.js';
import { compute, modelFor, type ModelRequest, type WorkOptions, type WorkSize } from '../requests/compute.js';
import type { ServerState } from '../state.js';

/** A request and its answer to be, as the functions of this folder take them. */
export interface Exchange {
  readonly state: ServerState;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Chooses the model for a request and computes with it. Errors: as `modelFor` and `compute`. */
export function computeWith<T>(
  { state, request, reply }: Exchange,
  body: ModelRequest | undefined,
  ability: Ability,
  size: WorkSize,
  run: (served: ServedModel, options: WorkOptions) => Promise<T>,
): Promise<T> {
  const served = modelFor(state, request, body, ability);
  return compute(state, request, reply, served, size, (options) => run(served, options));
}
