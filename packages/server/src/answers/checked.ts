import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { explainValidation, type ValidationProblem } from '../failures/validation.js';

/** A body, or a part of one, as a schema has it that only the body's own content chooses. Errors: RequestError 422. */
export function checked<S extends TSchema>(request: FastifyRequest, schema: S, value: unknown): Static<S> {
  const validate = request.compileValidationSchema(schema as unknown as Record<string, unknown>);
  if (validate(value as Record<string, unknown>)) return value as Static<S>;
  throw explainValidation((validate as { errors?: readonly ValidationProblem[] | null }).errors ?? []);
}
