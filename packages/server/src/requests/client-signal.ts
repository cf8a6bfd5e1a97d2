import type { ServerResponse } from 'node:http';
import { ClientGone, unavailable } from '../failures/failures.js';
import type { InFlight } from '../work/in-flight.js';

type Listener = Parameters<AbortSignal['addEventListener']>[1];

/**
 * Aborted when the client closes its connection before the answer, or when the server gives up. Node's AbortSignal and its listeners would cost
 * 7 us a request, as much as reading the body, for what rarely happens; this one has what the library takes for a signal.
 */
export class ClientSignal implements AbortSignal {
  aborted = false;
  reason: unknown = undefined;
  onabort: AbortSignal['onabort'] = null;
  readonly #response: ServerResponse;
  readonly #onClose = (): void => this.#abort(new ClientGone());
  readonly #removeStop: () => void;
  #listeners: Listener[] = [];

  constructor(response: ServerResponse, inFlight: InFlight) {
    this.#response = response;
    this.#removeStop = inFlight.add(() => this.#abort(unavailable('The server is closing.', 'closing')));
    if (response.destroyed || response.socket?.destroyed === true) this.#onClose();
    response.on('close', this.#onClose);
  }

  /** The answer is there. */
  end(): void {
    this.#response.removeListener('close', this.#onClose);
    this.#removeStop();
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners = this.#listeners.filter((each) => each !== listener);
  }

  dispatchEvent(event: Event): boolean {
    for (const listener of this.#listeners) {
      if (typeof listener === 'function') listener(event);
      else listener.handleEvent(event);
    }
    return true;
  }

  #abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event('abort'));
  }
}
