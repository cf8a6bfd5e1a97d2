import { BerthaError, type ErrorCode } from 'bertha-encoder';

/** What a refused request is told, before it takes the shape of the API that it came by. */
export interface Failure {
  readonly status: number;
  /** Bertha's code, or one of HTTP's: `model_not_found`, `invalid_api_key`, `not_found`, … */
  readonly code: string;
  /** text-embeddings-inference's word for it, `error_type`. */
  readonly type: FailureType;
  readonly message: string;
  /** The field of the body that it is about. */
  readonly param?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type FailureType = 'Validation' | 'Empty' | 'Backend' | 'Overloaded' | 'Unhealthy' | 'NotFound' | 'Unauthorized';

/** OpenAI's words for the same. */
const openAiTypes: Readonly<Record<FailureType, string>> = {
  Validation: 'invalid_request_error',
  Empty: 'invalid_request_error',
  Backend: 'server_error',
  Overloaded: 'rate_limit_error',
  Unhealthy: 'service_unavailable_error',
  NotFound: 'invalid_request_error',
  Unauthorized: 'authentication_error',
};

const brand = Symbol.for('bertha-server.RequestError');

/** A request that the server itself refuses. */
export class RequestError extends Error {
  readonly failure: Failure;
  readonly [brand] = true;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The client has gone: nobody reads the answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
  }
}

/** Errors of values in a request: 422, as text-embeddings-inference has it. */
export function invalid(message: string, param?: string, code: ErrorCode = 'INVALID_ARG'): RequestError {
  return new RequestError({ status: 422, code, type: 'Validation', message, param });
}

/** Nothing to compute: 400. */
export function empty(message: string, param?: string): RequestError {
  return new RequestError({ status: 400, code: 'EMPTY_INPUT', type: 'Empty', message, param });
}

/** The server cannot take requests now. */
export function unavailable(message: string, code: string): RequestError {
  return new RequestError({ status: 503, code, type: 'Unhealthy', message, headers: { 'retry-after': '1', connection: 'close' } });
}

/** What becomes of each code of the library; the others are defects, 500 without the engine's words. */
const ofLibrary: Readonly<Partial<Record<ErrorCode, Pick<Failure, 'status' | 'type' | 'headers'>>>> = {
  INVALID_ARG: { status: 422, type: 'Validation' },
  INVALID_OPTION: { status: 422, type: 'Validation' },
  INVALID_IDS: { status: 422, type: 'Validation' },
  INVALID_LABEL: { status: 422, type: 'Validation' },
  NO_MASK: { status: 422, type: 'Validation' },
  NOT_CONVERGED: { status: 422, type: 'Validation' },
  MAX_LENGTH: { status: 422, type: 'Validation' },
  EMPTY_INPUT: { status: 400, type: 'Empty' },
  INPUT_TOO_LARGE: { status: 413, type: 'Validation' },
  NO_HEAD: { status: 424, type: 'Backend' },
  NO_GRADIENT: { status: 424, type: 'Backend' },
  CONFIG: { status: 424, type: 'Backend' },
  CONFIG_UNSUPPORTED: { status: 424, type: 'Backend' },
  MODEL_MISMATCH: { status: 424, type: 'Backend' },
  QUEUE_FULL: { status: 429, type: 'Overloaded', headers: { 'retry-after': '1' } },
  DEADLINE: { status: 504, type: 'Overloaded' },
  DISPOSED: { status: 503, type: 'Unhealthy', headers: { 'retry-after': '1', connection: 'close' } },
  OUT_OF_MEMORY: { status: 503, type: 'Overloaded', headers: { 'retry-after': '5', connection: 'close' } },
  DEVICE_OOM: { status: 503, type: 'Overloaded', headers: { 'retry-after': '5', connection: 'close' } },
  DEVICE_LOST: { status: 503, type: 'Unhealthy', headers: { 'retry-after': '5', connection: 'close' } },
};

/** Fastify's and Node's own refusals by their codes. */
const ofTransport: Readonly<Record<string, Omit<Failure, 'message'> & { readonly message?: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'unsupported_media_type',
    type: 'Validation',
    message: 'Expected a body of content-type application/json, in UTF-8 and not compressed.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'INPUT_TOO_LARGE', type: 'Validation', headers: { connection: 'close' } },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'invalid_json',
    type: 'Validation',
    message: 'Expected a JSON object but the body is empty.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'invalid_json', type: 'Validation' },
  FST_ERR_BAD_URL: { status: 400, code: 'bad_url', type: 'Validation' },
  FST_ERR_ASYNC_CONSTRAINT: { status: 400, code: 'bad_url', type: 'Validation' },
};

function isRequestError(error: unknown): error is RequestError {
  return typeof error === 'object' && error !== null && (error as { [brand]?: unknown })[brand] === true;
}

/** What an error of a handler or of Fastify means for the client. `requestId` stands in what a defect is told. */
export function failureOf(error: unknown, requestId: string): Failure {
  if (isRequestError(error)) return error.failure;
  if (error instanceof BerthaError) {
    const known = ofLibrary[error.code];
    if (known !== undefined) return { code: error.code, message: error.message, ...known };
    return defect(requestId, error.code);
  }
  const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown };
  const found = typeof code === 'string' ? ofTransport[code] : undefined;
  if (found !== undefined) return { message: String(message), ...found };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: 'invalid_request', type: 'Validation', message: String(message) };
  }
  return defect(requestId, 'INTERNAL');
}

function defect(requestId: string, code: string): Failure {
  return {
    status: 500,
    code,
    type: 'Backend',
    message: `The server failed to compute an answer. Its log has the reason of request ${requestId}.`,
  };
}

/** Whose clients read the answer: `tei` for text-embeddings-inference and Hugging Face, `openai` also for Cohere, Jina and Voyage. */
export type ApiFamily = 'tei' | 'openai';

/** A refusal's body: a superset of what the clients of an API read, so that each finds its field. */
export function failureBody({ status, code, type, message, param }: Failure, family: ApiFamily): object {
  if (family === 'tei') return { error: message, error_type: type, code, message };
  const openAiType = openAiTypes[type];
  // `detail` is where Jina's and Voyage's clients look.
  return { error: { message, type: openAiType, param: param ?? null, code }, message, detail: message, code: status, type: openAiType };
}
