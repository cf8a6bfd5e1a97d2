/** What has to be stopped when the server gives up what is not done. An AbortSignal would look through all its listeners for every new one. */
export class InFlight {
  readonly #stops = new Set<() => void>();
  #isStopped = false;

  /** Calls `stop` when the server gives up, or now if it has; returns what ends that. */
  add(stop: () => void): () => void {
    if (this.#isStopped) stop();
    else this.#stops.add(stop);
    return () => void this.#stops.delete(stop);
  }

  /** Gives up. */
  stopAll(): void {
    this.#isStopped = true;
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }
}
